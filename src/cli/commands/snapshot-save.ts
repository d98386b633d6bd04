import { writeAtomically } from '../../lib/index.ts';
import type { Command } from '../command.ts';
import { inspectSnapshot, snapshotLines } from '../snapshot-file.ts';

/** Saves the whole state of the region into a file. */
export const snapshotSave: Command = {
  usage: 'snapshot:save <file>',
  summary: 'Save the whole state of the region into a file',
  detail: 'It holds the values of datastores and hashes of tokens: only its owner may read it.',
  example: 'drover snapshot:save /var/backups/drover.tgz',
  options: [],
  async run({ args, client, output }) {
    const [file] = args as [string];
    const archive = Buffer.from(await client.snapshot());
    const meta = await inspectSnapshot(archive, 'the agent’s answer');
    await writeAtomically(file, archive);
    output.data({ file, bytes: archive.length, ...meta }, [`${file}: ${snapshotLines(meta)[0]}`]);
    return 0;
  },
};
