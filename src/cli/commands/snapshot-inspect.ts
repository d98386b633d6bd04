import type { Command } from '../command.ts';
import { inspectSnapshot, readSnapshotFile, snapshotLines } from '../snapshot-file.ts';

/** Says what a snapshot holds, and whether it is whole. */
export const snapshotInspect: Command = {
  usage: 'snapshot:inspect <file>',
  summary: 'Say what a snapshot holds and whether it is whole; no agent is asked',
  example: 'drover snapshot:inspect /var/backups/drover.tgz',
  options: [],
  async run({ args, output }) {
    const [file] = args as [string];
    const meta = await inspectSnapshot(await readSnapshotFile(file), file);
    output.data({ file, ...meta }, snapshotLines(meta));
    return 0;
  },
};
