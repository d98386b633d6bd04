import type { Machine } from './machine.ts';
import type { BenchResult } from './result.ts';

/** A result as it is kept: with where, when and how it was measured. */
export interface RecordedResult extends BenchResult {
  /** ISO time. */
  readonly at: string;
  /** What to type to measure it again. */
  readonly command: string;
  readonly seconds: number;
  readonly machine: Machine;
}

/** Rows as a table of plain text, columns in the order in which rows bring them. */
export function textTable(rows: BenchResult['rows']): string {
  const [head, ...body] = cellsOf(rows);
  const all = [head ?? [], ...body];
  const widths = (head ?? []).map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  const numeric = (head ?? []).map((name) => rows.some((row) => typeof row[name] === 'number'));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (numeric[at] === true ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}

/** One benchmark for the terminal: name, verdict, bound, rows. */
export function textReport(result: BenchResult, quick: boolean): string {
  const indented = textTable(result.rows).replaceAll(/^/gm, '    ');
  return `${verdict(result, quick)}  ${result.name}\n    bound: ${result.bound}\n${indented}\n`;
}

/** The page of all results that are kept, by the names of their benchmarks. */
export function markdownPage(results: ReadonlyMap<string, RecordedResult>): string {
  const summary = [...results].map(([bench, { ok, bound, name }]) => [
    `[${bench}](#${bench})`,
    escaped(name),
    escaped(bound),
    ok ? 'holds' : '**does not hold**',
  ]);
  const sections = [...results].map(([bench, result]) => section(bench, result));
  const head = `# Results\n\nWritten by \`npm run bench\`; do not edit. [What each shows](../README.md).\n`;
  return [head, markdownTable([['benchmark', 'what', 'bound', 'verdict'], ...summary]), ...sections].join('\n');
}

function section(bench: string, result: RecordedResult): string {
  const { machine: m } = result;
  const where = `${m.cpu}, ${m.cores} cores, ${m.memoryGiB} GiB, ${m.kernel}, Node ${m.node}, ${m.disk}`;
  return `## ${bench}

${result.name}. Bound: ${result.bound}. **${result.ok ? 'Holds' : 'Does not hold'}.**

${markdownTable(cellsOf(result.rows).map((cells) => cells.map(escaped)))}
${result.at} · \`${result.command}\` · ${result.seconds} s · commit ${m.commit} · load before ${m.loadBefore} · ${where}
`;
}

function verdict({ ok }: BenchResult, quick: boolean): string {
  if (quick) return 'ran ';
  return ok ? 'ok  ' : 'MISS';
}

function cellsOf(rows: BenchResult['rows']): string[][] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '')))];
}

function markdownTable([head = [], ...body]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
