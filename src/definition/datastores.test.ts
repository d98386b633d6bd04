import { describe, expect, test } from 'vitest';
import { DroverError, formatDroverError } from '../lib/index.ts';
import { readDatastores } from './datastores.ts';
import { readDocument } from './document.ts';

const read = (text: string, file = 'ds.json', federation?: string) =>
  readDatastores(readDocument(text, file, { secret: true }), federation);

describe('readDatastores()', () => {
  test('reads a map of names to values', () => {
    expect(read('{"PRIMARY_DATABASE_URL": "mysql://user:password@host:port/database", "N": 1.10}')).toEqual([
      {
        federation: 'default',
        region: null,
        name: 'PRIMARY_DATABASE_URL',
        value: 'mysql://user:password@host:port/database',
      },
      { federation: 'default', region: null, name: 'N', value: '1.10' },
    ]);
  });

  test('reads values by region and federation', () => {
    const text = [
      'A: a',
      'regions: {aws: {A: a-aws}}',
      'federations:',
      '  staging:',
      '    A: a-staging',
      '    regions: {eu: {A: a-staging-eu}}',
    ].join('\n');
    expect(read(text, 'ds.yaml', 'main').map((one) => Object.values(one).join(' '))).toEqual([
      'main  A a',
      'main aws A a-aws',
      'staging  A a-staging',
      'staging eu A a-staging-eu',
    ]);
  });

  test.each([
    ['{"A": {"hunter2": 1}}', 'A: expected a text'],
    ['{"A": ["hunter2"]}', 'A: expected a text'],
    ['{"A": null}', 'A: expected a text'],
    ['{"A": "hunter2\\u0000"}', 'A: expected a text without NUL bytes'],
    ['{"A-B": "hunter2"}', 'A-B: the name of a variable'],
    [
      '{"federation": {"x": {"A": "hunter2"}}}',
      'federation: expected a text without NUL bytes: did you mean "federations"?',
    ],
    ['{"regions": ["hunter2"]}', 'regions: expected a map of regions'],
    ['{"regions": {"eu": {"regions": {"us": {"A": "hunter2"}}}}}', 'regions.eu.regions: expected a text'],
    ['{"federations": {"../x": {}}}', 'not the name of a federation'],
    ['"hunter2"', 'expected a map of names to values'],
    ['["hunter2"]', 'expected a map of names to values'],
    ['{"A": "hunter2" "B": 1}', 'the text is not valid here'],
    ['{"A": "hunter2", "A": "hunter3"}', 'duplicate key "A", first on line 1'],
  ])('refuses %s: %s, with its place and without a value', (text, message) => {
    let thrown: unknown;
    try {
      read(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(DroverError);
    const shown = formatDroverError(thrown as DroverError);
    expect(shown).toContain(message);
    expect(shown).toContain('ds.json:1:');
    expect(JSON.stringify(thrown)).not.toContain('hunter3');
    expect(shown.replace('hunter2: ', '')).not.toContain('hunter2"');
  });
});
