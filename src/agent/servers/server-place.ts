import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomically } from '../../lib/index.ts';

const FILE = 'server-id';

/** What the data directory of a server is known by: made once, and kept there. A directory that cannot be read has another each time. */
export async function serverPlace(dataDirectory: string): Promise<string> {
  const file = path.join(dataDirectory, FILE);
  const known = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (/^[0-9a-f-]{36}$/.test(known)) return known;
  const made = randomUUID();
  await writeAtomically(file, `${made}\n`, { durable: false }).catch(() => undefined);
  return made;
}
