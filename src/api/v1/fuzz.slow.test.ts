import { expect, test } from 'vitest';
import { TEST_MANAGEMENT } from '../../access/testing.ts';
import { startTestApi, type TestApiOptions } from '../testing.ts';
import { v1Routes } from './routes.ts';
import { FuzzRequests } from './testing-fuzz-requests.ts';
import { CONSULS_500, fuzz } from './testing-fuzz.ts';

const SEED = Number(process.env['DROVER_SEED'] ?? 20_140_417);
const ROUNDS = Number(process.env['DROVER_ROUNDS'] ?? 6_000);

const CHUNK = 250;

const AGENTS: [what: string, options: TestApiOptions, tokens: string[]][] = [
  ['without ACLs', {}, []],
  ['with legacy', { legacy: true, acl: { defaultPolicy: 'allow' } }, [TEST_MANAGEMENT, TEST_MANAGEMENT, '']],
  ['with ACLs', { acl: {} }, [TEST_MANAGEMENT, TEST_MANAGEMENT, '', 'unknown']],
];

test.each(AGENTS)(
  'whatever is asked of an agent %s is answered, never with a 500 that Consul does not have, and done whole or not at all',
  { timeout: 30_000 + ROUNDS * 20 },
  async (_, options, tokens) => {
    const nodes = [{ name: 'n2', services: [{ service: 'web', status: 'passing' as const }] }];
    await using api = await startTestApi({ nodes, ...options });
    const requests = new FuzzRequests(SEED, v1Routes(api.context), tokens);
    for (let done = 0; done < ROUNDS / AGENTS.length; done += CHUNK) {
      // A request may have deleted the token that may everything.
      if (options.acl !== undefined) await api.context.acl.writes.ensureManagement(TEST_MANAGEMENT);
      expect(await fuzz(api, requests, CHUNK), `DROVER_SEED=${SEED}`).toEqual([]);
    }
    expect(api.logged.filter((text) => !CONSULS_500.test(text))).toEqual([]);
  },
);
