import type { Output } from './command.ts';

/** stdout and stderr as a command's output. */
export function processOutput(json: boolean): Output {
  return {
    json,
    data(value, lines) {
      if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
      else if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
    },
    raw: (text) => void process.stdout.write(text),
    say: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** Rows as aligned columns, with a heading; the last column is not padded. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
