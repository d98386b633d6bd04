import { expect, test } from 'vitest';
import { startTestApi } from '../testing.ts';
import { FuzzRequests } from './testing-fuzz-requests.ts';
import { CONSULS_500, fuzz } from './testing-fuzz.ts';

test('whatever is asked is answered, and never with a 500 that Consul does not have', async () => {
  await using api = await startTestApi({ nodes: [{ name: 'n2', services: [{ service: 'web', status: 'passing' }] }] });
  const seed = 20_140_417;
  expect(await fuzz(api, new FuzzRequests(seed), 2_500)).toEqual([]);
  expect(api.logged.filter((text) => !CONSULS_500.test(text))).toEqual([]);
});
