import { reportChange } from '../change-report.ts';
import type { Command } from '../command.ts';
import { usageError } from '../errors.ts';
import { inspectSnapshot, readSnapshotFile, snapshotLines } from '../snapshot-file.ts';

/** Puts a snapshot in place of the whole state of the region. */
export const snapshotRestore: Command = {
  usage: 'snapshot:restore <file>',
  summary: 'Put a snapshot in place of the whole state of the region',
  detail:
    'All or nothing: what is in the region now is gone, unless a snapshot of it was saved. Agents say again what they run. Every ' +
    'index goes on above all that were ever given out.',
  example: 'drover snapshot:restore /var/backups/drover.tgz --yes',
  options: [{ flags: '--yes', text: 'it is meant' }],
  async run(invocation) {
    const { args, client, options } = invocation;
    const [file] = args as [string];
    const archive = await readSnapshotFile(file);
    const meta = await inspectSnapshot(archive, file);
    if (options['yes'] !== true) {
      const hint = 'save what there is with drover snapshot:save FILE, then say --yes';
      throw usageError.with({ hint }, `this would replace everything by ${snapshotLines(meta)[0]}`);
    }
    const { revision } = await client.restore(archive);
    const lines = [`the region is as it was at r${meta.index}, now r${revision}`];
    return reportChange(invocation, { revision, value: { file, of: meta.index }, lines });
  },
};
