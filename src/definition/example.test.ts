import path from 'node:path';
import { expect, test } from 'vitest';
import { checkSet } from './check-set.ts';
import { loadDatastores } from './datastores.ts';
import { loadDefinitions } from './load.ts';

const EXAMPLE = path.resolve(import.meta.dirname, '../../examples/seatgeek');

test('loadDefinitions() reads the example from disk, and it fits together', async () => {
  const { definitions } = await loadDefinitions([path.join(EXAMPLE, 'data_bags/service/')]);
  const datastores = await loadDatastores(path.join(EXAMPLE, 'datastores.json'));
  expect(definitions.map(({ definition }) => definition.id)).toEqual(['api', 'app-www', 'elasticsearch']);
  const applied = definitions.map(({ definition }) => definition);
  expect(checkSet({ existing: [], applied, datastores })).toEqual({ errors: [], warnings: [], notes: [] });
});

test('loadDefinitions() refuses the folder of the originals, naming each broken file', async () => {
  const seeds = path.resolve(import.meta.dirname, '../../test/fixtures/seeds');
  const failure = await loadDefinitions([path.join(seeds, 'app-www.json'), path.join(seeds, 'api.json')]).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: 'DEFINITION_SYNTAX', exitCode: 2, place: { line: 10, column: 5 } });
});
