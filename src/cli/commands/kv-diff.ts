import type { DroverClient, WireHistoryItem, WireHistoryValue } from '../../../client/src/index.ts';
import type { Command } from '../command.ts';
import { unknownHistory } from '../errors.ts';
import { diffLines } from '../history-lines.ts';
import { revisionOf } from '../revision-of.ts';

const MOST = 1_000;

/** Shows what of a key's value changed. */
export const kvDiff: Command = {
  usage: 'kv:diff <key> [from] [to]',
  summary: 'Show what of a key changed: last, since a revision, or between two',
  detail: 'A revision stands for the value as it was right after it. Lines with - are gone, lines with + came.',
  example: 'drover kv:diff config/limit\ndrover kv:diff config/limit 41 57',
  options: [],
  async run({ args, client, output }) {
    const [key = '', from, to] = args;
    const items = await client.history({ kind: 'kv', subject: key, limit: MOST });
    const [last] = items;
    if (last === undefined) throw unknownHistory(key);
    const before = from === undefined ? last.before : valueAt(items, revisionOf(from), key);
    const after = to === undefined ? last.after : valueAt(items, revisionOf(to), key);
    const lines = diffLines(before, after);
    output.data({ key, before, after }, lines.length === 0 ? ['no difference'] : lines);
    return 0;
  },
};

type Items = Awaited<ReturnType<DroverClient['history']>>;

/** What the key was right after a revision. @throws CLI_UNKNOWN_HISTORY when that is before all that is remembered */
function valueAt(items: Items, revision: number, key: string): WireHistoryValue | null {
  const found = items.find((item) => item.revision <= revision);
  if (found !== undefined) return found.after;
  const oldest = items.at(-1) as WireHistoryItem;
  if (items.length < MOST) return oldest.before;
  throw unknownHistory(key);
}
