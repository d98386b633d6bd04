import type { Output } from './command.ts';
import type { Host } from './host.ts';
import { plainText } from './plain-text.ts';

/** A host's stdout and stderr as a command's output. */
export function openOutput(host: Pick<Host, 'stdout' | 'stderr'>, json: boolean): Output {
  return {
    json,
    data(value, lines) {
      if (json) host.stdout(`${JSON.stringify(value, null, 2)}\n`);
      else if (lines.length > 0) host.stdout(`${plainText(lines.join('\n'))}\n`);
    },
    raw: (content) => host.stdout(content),
    say: (text) => host.stderr(`${json ? JSON.stringify({ message: text }) : plainText(text)}\n`),
  };
}

/** Longer cells are cut, so that one does not push all others off the screen; --json has them whole. */
const MOST_CHARACTERS = 120;

/** Rows as aligned columns, with a heading; nothing without rows. A cell is one line of at most 120 characters. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const all = [heading, ...rows.map((row) => row.map(oneLine))];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function oneLine(cell: string): string {
  const text = plainText(cell.slice(0, MOST_CHARACTERS + 1).replaceAll(/[\n\t]+/g, ' '));
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
}
