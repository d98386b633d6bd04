import { readFile, stat } from 'node:fs/promises';
import { messageOf, openArchive } from '../lib/index.ts';
import { badSnapshotFile } from './errors.ts';

const MAX_BYTES = 512 * 1024 * 1024;

/** What a snapshot says of itself: its `meta.json`. */
export interface SnapshotAbout {
  readonly index: number;
  readonly version: string;
  readonly region: string;
  readonly at: string;
  readonly entries: number;
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
      | (SnapshotAbout & { format?: string })
      | null;
    if (about?.format !== 'drover-snapshot' || !files.has('state'))
      throw new TypeError('it is not a snapshot of drover');
    return about;
  } catch (cause) {
    throw badSnapshotFile.with({ cause }, from, messageOf(cause));
  }
}

/** What it holds, for people: first all in one line. */
export function snapshotLines({ index, version, region, at, entries }: SnapshotAbout): string[] {
  return [
    `region ${region} at r${index}, ${entries} entries, of ${at}`,
    `made by drover ${version}`,
    'every checksum is right',
  ];
}
