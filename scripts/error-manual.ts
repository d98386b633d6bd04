import { globSync } from 'node:fs';
import path from 'node:path';
import type { ErrorFactory } from '../src/lib/index.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

type Row = ErrorFactory<unknown[]>;

const tables = await Promise.all(
  globSync('src/**/errors.ts', { cwd: ROOT })
    .filter((file) => file !== 'src/lib/errors.ts')
    .toSorted()
    .map(async (file) => [file, (await import(path.join(ROOT, file))) as Record<string, unknown>] as const),
);

/** Every error with its code, status and exit status, from the folders' own tables. */
export function errorManual(): string {
  const sections = tables.map(([file, module]) => sectionOf(path.dirname(file), Object.values(module).filter(isRow)));
  return `# Errors

Made by \`npm run generate\` from the error tables of the folders. On \`/v2\` an error is \`{"error": {"code", "message", "hint"}}\` with the status below; the
CLI prints it and ends with the exit status below.

${sections.filter((text) => text !== '').join('\n')}`;
}

function isRow(value: unknown): value is Row {
  return typeof value === 'function' && 'row' in value && 'code' in value;
}

function sectionOf(folder: string, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const lines = rows
    .toSorted((a, b) => (a.code < b.code ? -1 : 1))
    .map(
      ({ code, status, exitCode, row }) =>
        `| ${code} | ${status} | ${exitCode} | ${cell(sample(row.message))} | ${cell(row.hint ?? '')} |`,
    );
  return `## ${folder.replace('src/', '')}

| code | HTTP | exit | message | what to do |
| --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
}

/** The message with the names of its parameters in place of values. */
function sample(message: (...args: unknown[]) => string): string {
  const [, list = ''] = /^\(([^)]*)\)/.exec(message.toString()) ?? [];
  const names = list
    .split(',')
    .map((name) => name.replace(/[:=].*/s, '').trim())
    .filter((name) => name !== '');
  try {
    return message(...names.map((name) => `<${name}>`));
  } catch {
    // Some take lists.
    return message(...names.map((name) => [`<${name}>`]));
  }
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
