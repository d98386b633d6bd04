import { readFile, unlink } from 'node:fs/promises';
import path from 'node:path';

/**
 * The reset index in `acl-bootstrap-reset`, by which whoever can write the data directory allows one more bootstrap; the
 * file is gone then. 0 when there is none, or no number in it.
 */
export async function takeResetIndex(dataDirectory: string): Promise<number> {
  const file = path.join(dataDirectory, 'acl-bootstrap-reset');
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text === '') return 0;
  await unlink(file);
  return /^\d{1,16}$/.test(text.trim()) ? Number(text) : 0;
}
