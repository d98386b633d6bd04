import type { Command } from '../command.ts';
import { unknownHistory } from '../errors.ts';
import { diffLines, historyLines } from '../history-lines.ts';
import { FEDERATION_OPTION, LIMIT_OPTION, limitOf, textOption } from '../scope.ts';

/** Shows who changed a definition. */
export const serviceLog: Command = {
  usage: 'service:log <id>',
  summary: 'Show who changed a definition, when, and what of it',
  example: 'drover service:log api',
  options: [FEDERATION_OPTION, LIMIT_OPTION, { flags: '--diff', text: 'with what changed, line by line' }],
  async run({ args, client, host, options, output }) {
    const [id] = args as [string];
    const { federation = 'default' } = textOption('federation', options);
    const items = await client.history({ kind: 'def', subject: `${federation}/${id}`, ...limitOf(options) });
    if (items.length === 0) throw unknownHistory(id);
    // A document is no cell of a table: what of it changed is what counts.
    const plain = items.map((item) => ({ ...item, before: null, after: null }));
    const rows = historyLines(plain, host.clock.wall()).map((line) =>
      line.replace(/ +(?:value|nothing → nothing)$/, ''),
    );
    const lines =
      options['diff'] === true ? items.flatMap((item, at) => [rows[at + 1] ?? '', ...indented(item)]) : rows;
    output.data(items, lines);
    return 0;
  },
};

type Item = Parameters<typeof historyLines>[0][number];

function indented({ before, after }: Item): string[] {
  return diffLines(before, after)
    .filter((line) => !line.startsWith(' '))
    .map((line) => `  ${line}`);
}
