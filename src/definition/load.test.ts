import { describe, expect, test } from 'vitest';
import { DroverError } from '../lib/index.ts';
import { type FileSource, definitionFiles, loadDefinitions } from './load.ts';

/** A file system of texts by path; a text of null cannot be read. */
function filesOf(texts: Record<string, string | null | Uint8Array>): FileSource {
  const names = Object.keys(texts);
  const systemError = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), { code });
  return {
    async stat(path) {
      const content = texts[path];
      if (content !== undefined) return { isDirectory: () => false, size: content?.length ?? 0 };
      if (names.some((name) => name.startsWith(`${path.replace(/\/$/, '')}/`)))
        return { isDirectory: () => true, size: 0 };
      throw systemError('ENOENT', path);
    },
    async readdir(path) {
      const prefix = `${path.replace(/\/$/, '')}/`;
      const inside = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
      return [...new Set(inside.map((name) => name.split('/')[0] as string))].toReversed();
    },
    async readFile(path) {
      const content = texts[path];
      if (content === null || content === undefined) throw systemError('EACCES', path);
      return typeof content === 'string' ? Buffer.from(content) : content;
    },
  };
}

const service = (id: string, more = {}): string => JSON.stringify({ id, ...more });

async function problemsOf(paths: readonly string[], files: FileSource): Promise<readonly DroverError[]> {
  try {
    await loadDefinitions(paths, files);
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    return error.problems.length > 0 ? error.problems : [error];
  }
  return [];
}

describe('loadDefinitions()', () => {
  test('reads files, and of directories each document in order of name', async () => {
    const files = filesOf({
      'bags/service/b.yaml': 'id: b\n',
      'bags/service/a.json': service('a'),
      'bags/service/notes.txt': 'no',
      'bags/service/.hidden.json': 'no',
      'c.json5': "{id: 'c'}",
    });
    const { definitions, warnings } = await loadDefinitions(['c.json5', 'bags/service/'], files);
    expect(definitions.map(({ definition, file }) => [definition.id, file])).toEqual([
      ['c', 'c.json5'],
      ['a', 'bags/service/a.json'],
      ['b', 'bags/service/b.yaml'],
    ]);
    expect(warnings).toEqual([]);
  });

  test('reads a file once when it is named twice', async () => {
    const { definitions } = await loadDefinitions(
      ['d/a.json', 'd/', 'd', 'd/a.json'],
      filesOf({ 'd/a.json': service('a') }),
    );
    expect(definitions).toHaveLength(1);
  });

  test("warns when a file is not named after its service's id", async () => {
    const { warnings } = await loadDefinitions(['www.json'], filesOf({ 'www.json': service('app-www') }));
    expect(warnings).toEqual(['www.json defines "app-www": name the file app-www.json']);
  });

  test('takes the same id in two federations', async () => {
    const files = filesOf({ 'd/a.json': service('a'), 'd/b.json': service('a', { federation: 'staging' }) });
    expect((await loadDefinitions(['d'], files)).definitions).toHaveLength(2);
  });

  test('refuses the same id in two files, naming both', async () => {
    const [error] = await problemsOf(['d'], filesOf({ 'd/a.json': service('a'), 'd/b.json': service('a') }));
    expect(error).toMatchObject({ code: 'DEFINITION_DUPLICATE', exitCode: 2 });
    expect(error?.message).toContain('both d/a.json and d/b.json');
  });

  test('reports what is wrong in every file, and gives nothing', async () => {
    const files = filesOf({ 'd/a.json': '{', 'd/b.json': service('b', { publik: true }), 'd/c.json': service('c') });
    const problems = await problemsOf(['d', 'gone.json'], files);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain('cannot read gone.json: there is no such file');
    expect((await problemsOf(['d'], files)).map(({ code, place }) => [code, place?.file])).toEqual([
      ['DEFINITION_SYNTAX', 'd/a.json'],
      ['DEFINITION_UNKNOWN_KEY', 'd/b.json'],
    ]);
  });

  test.each([
    [{ 'a.txt': 'x' }, 'a.txt', 'DEFINITION_FILE_TYPE'],
    [{ 'a.json': null }, 'a.json', 'DEFINITION_UNREADABLE'],
    [{}, 'a.json', 'DEFINITION_UNREADABLE'],
    [{ 'd/notes.txt': 'x' }, 'd', 'DEFINITION_NO_FILES'],
    [{ 'a.json': Uint8Array.of(0x22, 0xff, 0x22) }, 'a.json', 'DEFINITION_SYNTAX'],
    [{ 'a.json': ' '.repeat(1_048_577) }, 'a.json', 'DEFINITION_TOO_LARGE'],
  ])('refuses of %j the path %s with %s', async (texts, path, code) => {
    const problems = await problemsOf([path], filesOf(texts as unknown as Record<string, string>));
    expect(problems[0]).toMatchObject({ code, exitCode: 2 });
  });
});

test('definitionFiles() gives no file twice', async () => {
  const files = filesOf({ 'd/a.json': '', 'd/b.yml': '' });
  expect(await definitionFiles(['d/b.yml', 'd'], files)).toEqual(['d/b.yml', 'd/a.json']);
});
