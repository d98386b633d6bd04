import type { WireHistoryItem, WireHistoryValue } from '../../client/src/index.ts';
import { lineDiff } from '../lib/index.ts';
import { table } from './output.ts';
import { sayTime } from './say-time.ts';

/** Changes as a table, newest first as they come. */
export function historyLines(items: readonly WireHistoryItem[], nowMs: number): string[] {
  const rows = items.map((item) => [
    `r${item.revision}`,
    sayTime(item.at, nowMs),
    item.author,
    item.kind === 'kvtree' ? `removed with all of ${JSON.stringify(item.subject)}` : item.change,
    sayStep(item),
  ]);
  return table(['revision', 'time', 'by', 'what', 'value'], rows);
}

/** A difference of two values, line by line; of what is not text only that it differs. */
export function diffLines(before: WireHistoryValue | null, after: WireHistoryValue | null): string[] {
  const flags = flagLines(before, after);
  const isBinary = [before, after].some((value) => value?.base64 !== undefined);
  if (isBinary) return [...(sayValue(before) === sayValue(after) ? [] : ['binary values differ']), ...flags];
  const diff = lineDiff(before?.text ?? '', after?.text ?? '');
  if (diff.every(({ sign }) => sign === ' ')) return flags;
  return [...diff.map(({ sign, text }) => `${sign} ${text}`), ...flags];
}

function flagLines(before: WireHistoryValue | null, after: WireHistoryValue | null): string[] {
  const [was, is] = [before?.flags ?? '0', after?.flags ?? '0'];
  return was === is ? [] : [`flags ${was} → ${is}`];
}

function sayStep({ before, after }: WireHistoryItem): string {
  if (before?.sha256 !== undefined || after?.sha256 !== undefined) return '(secret)';
  return `${sayValue(before)} → ${sayValue(after)}`;
}

const SHORT = 48;

function sayValue(value: WireHistoryValue | null): string {
  if (value === null) return 'nothing';
  if (value.keys !== undefined) return `${value.keys} keys`;
  if (value.base64 !== undefined) return `${Buffer.from(value.base64, 'base64').length} bytes`;
  const text = value.text ?? '';
  return JSON.stringify(text.length > SHORT ? `${text.slice(0, SHORT - 1)}…` : text);
}
