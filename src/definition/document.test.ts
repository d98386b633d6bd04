import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { DroverError, formatDroverError } from '../lib/index.ts';
import { MAX_DOCUMENT_BYTES, isDocumentFile, readDocument } from './document.ts';

const SEEDS = path.resolve(import.meta.dirname, '../../test/fixtures/seeds');
const seed = (name: string): string => readFileSync(path.join(SEEDS, name), 'utf8');

function refusal(text: string, file = 'a.json', options = {}): DroverError {
  try {
    readDocument(text, file, options);
  } catch (error) {
    if (error instanceof DroverError) return error;
    throw error;
  }
  throw new Error(`${file} was read`);
}

describe("readDocument() on the documents' own files", () => {
  test("refuses app-www.json where its comma is missing, as the documents' reader would want it said", () => {
    const error = refusal(seed('app-www.json'), 'services/app-www.json');
    expect(formatDroverError(error)).toBe(
      [
        `error DEFINITION_SYNTAX: services/app-www.json:10:5: expected ',' before "PORT"`,
        '   9 |     "ENV": "production"',
        '  10 |     "PORT": 8080',
        '     |     ^',
        'hint: add a comma at the end of line 9',
      ].join('\n'),
    );
    expect(error).toMatchObject({ status: 400, exitCode: 2 });
  });

  test.each([
    ['ellipsis-requires.json', 10],
    ['ellipsis-provides.json', 6],
    ['ellipsis-public.json', 4],
    ['ellipsis-federation.json', 4],
  ])('refuses the ellipsis of %s at its place', (name, line) => {
    const error = refusal(seed(name), name);
    expect(error).toMatchObject({ code: 'DEFINITION_SYNTAX', message: 'unexpected "..."', place: { line, column: 3 } });
    expect(error.hint).toContain('use // or name the file .yaml');
  });

  test.each(['api.json', 'check_elasticsearch.json'])('reads %s', (name) => {
    expect(readDocument(seed(name), name).value).toEqual(JSON.parse(seed(name)));
  });
});

describe('readDocument() reads', () => {
  const same = {
    id: 'api',
    environment: { ENV: 'production', PORT: 1100 },
    run_list: ['a', 'b'],
    public: true,
    x: null,
  };
  test.each([
    [
      'a.json',
      '{"id": "api", "environment": {"ENV": "production", "PORT": 1100}, "run_list": ["a", "b"], "public": true, "x": null}',
    ],
    [
      'a.json',
      '\uFEFF{"id": "api", /* c */ "environment": {"ENV": "production", "PORT": 1100}, // d\n"run_list": ["a", "b"], "public": true, "x": null}',
    ],
    [
      'a.json5',
      "{id: 'api', environment: {ENV: 'production', PORT: 1100,}, run_list: ['a', 'b',], public: true, x: null}",
    ],
    ['a.yaml', 'id: api\nenvironment:\n  ENV: production\n  PORT: 1100\nrun_list: [a, b]\npublic: true\nx:\n'],
    [
      'A.YML',
      '# comment\nid: "api"\nenvironment: {ENV: production, PORT: 1100}\nrun_list:\n- a\n- b\npublic: true\nx: ~\n',
    ],
  ])('%s %j', (file, text) => {
    expect(readDocument(text, file).value).toEqual(same);
  });

  test('keys such as __proto__ as plain members', () => {
    const { value } = readDocument('{"__proto__": {"polluted": true}}', 'a.json');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect((value as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('aliases of YAML as copies of what they name', () => {
    expect(readDocument('a: &x {b: 1}\nc: *x\n', 'a.yaml').value).toEqual({ a: { b: 1 }, c: { b: 1 } });
  });
});

describe('Document.placeOf()', () => {
  const files = {
    'a.json': '{\n  "provides": {\n    "API_URL": "x"\n  },\n  "checks": [{"TLSSkipVerify": true}]\n}',
    'a.yaml': '\nprovides:\n    "API_URL": x\n\n\nchecks:\n- TLSSkipVerify: true\n',
  };
  test.each([
    ['a.json', ['provides', 'API_URL'], 'value', { line: 3, column: 16, path: 'provides.API_URL' }],
    ['a.json', ['provides', 'API_URL'], 'key', { line: 3, column: 5, path: 'provides.API_URL' }],
    ['a.json', ['checks', 0], 'value', { line: 5, column: 14, path: 'checks[0]' }],
    ['a.json', ['checks', 0, 'tls_skip_verify'], 'key', { line: 5, column: 15, path: 'checks[0].tls_skip_verify' }],
    ['a.json', ['provides', 'gone', 'deeper'], 'value', { line: 2, column: 15, path: 'provides.gone.deeper' }],
    ['a.json', [], 'value', { line: 1, column: 1 }],
    ['a.yaml', ['provides', 'API_URL'], 'value', { line: 3, column: 16, path: 'provides.API_URL' }],
    ['a.yaml', ['provides', 'API_URL'], 'key', { line: 3, column: 5, path: 'provides.API_URL' }],
    ['a.yaml', ['checks', 0, 'tls_skip_verify'], 'value', { line: 7, column: 18, path: 'checks[0].tls_skip_verify' }],
  ] as const)('in %s of %j (%s)', (file, keys, of, place) => {
    expect(readDocument(files[file], file).placeOf(keys, of)).toEqual({ file, ...place });
  });

  test('counts columns in characters', () => {
    expect(readDocument('{"💥é": 1}', 'a.json').placeOf(['💥é'])).toMatchObject({ line: 1, column: 8 });
  });
});

test.each([
  [
    'a.json',
    '{"v": 1.10, "n": 9007199254740993, "t": "x", "b": true}',
    ['1.10', '9007199254740993', undefined, 'true'],
  ],
  ['a.json5', '{v: 0x1F, n: +1., t: "1", b: NaN}', ['0x1F', '+1.', undefined, 'NaN']],
  ['a.yaml', 'v: 1.10\nn: 0o17\nt: "1"\nb: True\n', ['1.10', '0o17', undefined, 'True']],
])('Document.writtenAt() gives numbers and booleans of %s %j as written', (file, text, expected) => {
  const document = readDocument(text, file);
  expect(['v', 'n', 't', 'b'].map((key) => document.writtenAt([key]))).toEqual(expected);
});

describe('readDocument() refuses', () => {
  test.each([
    [
      'a.json',
      '{"PORT": 1,\n "X": 2,\n "PORT": 3}',
      'DEFINITION_DUPLICATE_KEY',
      'duplicate key "PORT", first on line 1',
      3,
    ],
    ['a.yaml', 'PORT: 1\nX: 2\nPORT: 3\n', 'DEFINITION_DUPLICATE_KEY', 'duplicate key "PORT", first on line 1', 3],
    ['a.json5', "{PORT: 1, 'PORT': 2}", 'DEFINITION_DUPLICATE_KEY', 'duplicate key "PORT", first on line 1', 1],
    ['a.json', "{'id': 1}", 'DEFINITION_SYNTAX', 'expected a key in double quotes', 1],
    ['a.json', '', 'DEFINITION_SYNTAX', 'the file is empty', 1],
    ['a.yaml', '', 'DEFINITION_SYNTAX', 'the file is empty', 1],
    ['a.yaml', '# only\n', 'DEFINITION_SYNTAX', 'the file is empty', 1],
    ['a.yaml', 'a: 1\n\tb: 2\n', 'DEFINITION_SYNTAX', '', 2],
    ['a.yaml', 'a:\n  b: 1\n c: 2\n', 'DEFINITION_SYNTAX', '', 3],
    ['a.yaml', 'a: "x\n', 'DEFINITION_SYNTAX', 'a text is not closed', 1],
    ['a.yaml', "a: 'x\n", 'DEFINITION_SYNTAX', 'a text is not closed', 1],
    ['a.yaml', 'a: [1, 2\nb: 3\n', 'DEFINITION_SYNTAX', '', undefined],
    ['a.yaml', 'a: {b: 1\n', 'DEFINITION_SYNTAX', "expected '}'", 1],
    ['a.yaml', 'a: 1\n---\nb: 2\n', 'DEFINITION_SYNTAX', 'a second document begins here', 2],
    ['a.yaml', 'a: b: c\n', 'DEFINITION_SYNTAX', 'a map cannot begin here', 1],
    ['a.yaml', 'a: @x\n', 'DEFINITION_SYNTAX', 'a text cannot begin with this character', 1],
    ['a.yaml', 'a: 1\nword\n', 'DEFINITION_SYNTAX', "expected ':' after the key", 2],
    ['a.yaml', 'a: *nowhere\n', 'DEFINITION_SYNTAX', 'the alias *nowhere names no anchor', 1],
    ['a.yaml', 'a: !!js/function x\n', 'DEFINITION_SYNTAX', 'tags (!) are not known here', 1],
    ['a.yaml', '? {a: 1}\n: 2\n', 'DEFINITION_SYNTAX', 'a key must be text', 1],
    ['a.yaml', 'a: "\\q"\n', 'DEFINITION_SYNTAX', 'unknown escape in a text', 1],
    ['a.toml', 'a = 1', 'DEFINITION_FILE_TYPE', 'a.toml', undefined],
    ['json', '{}', 'DEFINITION_FILE_TYPE', 'json', undefined],
  ])('%s %j with %s: %s', (file, text, code, message, line) => {
    const error = refusal(text, file);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    if (line !== undefined) expect(error.place?.line).toBe(line);
    expect(error.exitCode).toBe(2);
  });

  test('all duplicate keys at once', () => {
    const error = refusal('{"a": 1, "a": 2, "b": {"c": 1, "c": 2}}');
    expect(error.problems.map((problem) => problem.place?.column)).toEqual([32, 10]);
  });

  test.each([
    ['a.json', '['.repeat(65) + ']'.repeat(65)],
    ['a.json', '['.repeat(200_000)],
    ['a.json5', '{a:'.repeat(100) + '1' + '}'.repeat(100)],
    ['a.yaml', '['.repeat(65) + ']'.repeat(65)],
    ['a.yaml', '['.repeat(20_000)],
    ['a.yaml', Array.from({ length: 70 }, (_, index) => `${' '.repeat(index)}a:`).join('\n')],
  ])('%s that nests too deep', (file, text) => {
    expect(refusal(text, file).code).toBe('DEFINITION_TOO_DEEP');
  });

  test('YAML aliases that unfold to very much', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      lines.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    }
    expect(refusal(lines.join('\n'), 'a.yaml').message).toContain('more than 100000 values');
  });

  test('a file of duplicates, naming the first twenty', () => {
    expect(refusal(`{${Array(1_000).fill('"k": 1').join(',')}}`).problems).toHaveLength(20);
  });

  test('an alias that holds itself', () => {
    expect(refusal('a: &x [*x]\n', 'a.yaml').exitCode).toBe(2);
  });

  test('a file of more than 1 MiB', () => {
    expect(refusal(`"${'x'.repeat(MAX_DOCUMENT_BYTES)}"`).code).toBe('DEFINITION_TOO_LARGE');
  });

  test('a broken file of secrets without a word of its text', () => {
    const error = refusal('{"DB": "hunter2"\n hunter3: 1}', 'a.json', { secret: true });
    expect(JSON.stringify(error)).not.toMatch(/hunter/);
    expect(error.place).toMatchObject({ line: 2, column: 2 });
  });
});

test.each([
  ['a.json', true],
  ['dir.d/a.YML', true],
  ['a.json5', true],
  ['a.json.bak', false],
  ['json', false],
  ['a.d/json', false],
])('isDocumentFile() of %s is %s', (file, expected) => {
  expect(isDocumentFile(file)).toBe(expected);
});
