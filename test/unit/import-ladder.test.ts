import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Folders of `src` from the bottom rung to the top (design 3). A folder may import only from rungs below its own. */
const RUNGS: readonly (readonly string[])[] = [
  ['lib'],
  ['message', 'definition', 'store', 'clouds'],
  ['access', 'registry'],
  ['kv', 'change'],
  ['link'],
  'health dns environment balancer listener event scheduler executor publication fleet'.split(' '),
  ['api'],
  ['agent'],
  ['cli'],
];
/** `cli` goes through `client`; of drover's inside it sees only these: `env`, `exec` and `watch` render and run where they are called. */
const SEEN_BY_CLI = ['definition', 'lib', 'environment', 'event', 'agent'];

const rungOf = (folder: string): number => RUNGS.findIndex((rung) => rung.includes(folder));

function violations(file: string): string[] {
  const [, own = ''] = file.split('/');
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const found: string[] = [];
  for (const [, specifier = ''] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const target = path.relative(ROOT, path.resolve(ROOT, path.dirname(file), specifier));
    const [top, folder = ''] = target.split('/');
    if (top === 'client' && own === 'cli') continue;
    if (top !== 'src') found.push(`${file} leaves src: ${specifier}`);
    else if (folder === own) continue;
    else if (target !== `src/${folder}/index.ts` && !isTestKit(file, target))
      found.push(`${file} enters ${folder} not by its index.ts: ${specifier}`);
    else if (rungOf(folder) >= rungOf(own) || rungOf(folder) < 0) found.push(`${file} must not import ${folder}`);
    else if (own === 'cli' && !SEEN_BY_CLI.includes(folder)) found.push(`${file}: cli does not see ${folder}`);
  }
  return found;
}

/** Tests, and the kits that they are written with, may use another folder's `testing.ts`. */
function isTestKit(file: string, target: string): boolean {
  return /\.test\.ts$|\/testing(?:-[a-z-]+)?\.ts$/.test(file) && target.endsWith('/testing.ts');
}

test('imports climb the ladder and enter a folder through its index.ts', () => {
  const files = globSync('src/**/*.ts', { cwd: ROOT });
  expect(files.length).toBeGreaterThan(10);
  expect(files.flatMap((file) => violations(file))).toEqual([]);
});

test('every folder of src stands on the ladder', () => {
  const folders = globSync('src/*/index.ts', { cwd: ROOT }).map((file) => file.split('/')[1] as string);
  expect(folders.filter((folder) => rungOf(folder) < 0)).toEqual([]);
});
