import { readFile, stat } from 'node:fs/promises';
import { countFamilies, messageOf, openArchive } from '../lib/index.ts';
import { badSnapshotFile } from './errors.ts';

const MAX_BYTES = 512 * 1024 * 1024;

/** What a snapshot says of itself: its `meta.json`. */
export interface SnapshotAbout {
  readonly index: number;
  readonly version: string;
  readonly region: string;
  readonly at: string;
  readonly entries: number;
  /** By family of keys: `node`, `kv`, … */
  readonly families: Readonly<Record<string, number>>;
}

/** The bytes of a snapshot's file. @throws CLI_BAD_SNAPSHOT */
export async function readSnapshotFile(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw new RangeError(`it is larger than ${MAX_BYTES} bytes`);
    return await readFile(file);
  } catch (cause) {
    throw badSnapshotFile.with({ cause }, file, messageOf(cause));
  }
}

/** Checks a snapshot from end to end, and says what it is. @throws CLI_BAD_SNAPSHOT */
export async function inspectSnapshot(archive: Buffer, from: string): Promise<SnapshotAbout> {
  try {
    const files = await openArchive(archive, MAX_BYTES);
    const about = JSON.parse(files.get('meta.json')?.toString() ?? 'null') as
      | (Omit<SnapshotAbout, 'families'> & { format?: string })
      | null;
    const state = files.get('state');
    if (about?.format !== 'drover-snapshot' || state === undefined)
      throw new TypeError('it is not a snapshot of drover');
    return { ...about, families: countFamilies(keysOf(state)) };
  } catch (cause) {
    throw badSnapshotFile.with({ cause }, from, messageOf(cause));
  }
}

/** The keys of the lines of its state; values may be large and are not looked at. */
function keysOf(state: Buffer): string[] {
  const keys: string[] = [];
  for (let start = 0; start < state.length;) {
    const end = state.indexOf(0x0a, start);
    const line = state.toString('utf8', start, end < 0 ? state.length : end);
    keys.push(String((JSON.parse(line) as unknown[])[0]));
    start = end < 0 ? state.length : end + 1;
  }
  return keys;
}

/** What it holds, for people: first all in one line. */
export function snapshotLines({ index, version, region, at, entries, families }: SnapshotAbout): string[] {
  const parts = Object.entries(families).map(([family, many]) => `${family} ${many}`);
  return [
    `region ${region} at r${index}, ${entries} entries, of ${at}`,
    ...(parts.length === 0 ? [] : [parts.join(', ')]),
    `made by drover ${version}`,
    'every checksum is right',
  ];
}
