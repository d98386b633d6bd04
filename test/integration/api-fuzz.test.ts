import { expect, test } from 'vitest';
import { startTestApi } from '../../src/api/testing.ts';
import { v1Routes } from '../../src/api/v1/routes.ts';
import { FuzzRequests, type FuzzRequest } from '../../src/api/v1/testing-fuzz-requests.ts';
import { nameOf, problemOf } from '../../src/api/v1/testing-fuzz.ts';
import { ConsulAgent, ROOT_TOKEN } from './consul-agent.ts';
import { Wire, type WireReply } from './consul-wire.ts';

/** Over sockets and processes what src/api/v1/fuzz.slow.test.ts asks in memory. */
const SEED = Number(process.env['DROVER_SEED'] ?? 20_140_417);
const ROUNDS = Number(process.env['DROVER_ROUNDS'] ?? 3_000);
const LANES = 4;
/** So long a read may be held; then its client goes. */
const PATIENCE_MS = 100;

const CONFIGURATION = {
  node_name: 'n1',
  acl: { enabled: true, default_policy: 'allow', tokens: { initial_management: ROOT_TOKEN } },
};

test.each([
  ['without legacy', []],
  ['with legacy', ['-legacy']],
])(
  'an agent %s answers whatever comes, never with a 500 that Consul does not have, and lives on',
  { timeout: 60_000 + ROUNDS * 20 },
  async (_, flags) => {
    await using agent = await ConsulAgent.start({ flags: ['-server', ...flags], configuration: CONFIGURATION });
    using wire = new Wire(agent.url);
    await using kit = await startTestApi({ legacy: flags.length > 0, acl: {} });
    const endpoints = v1Routes(kit.context).filter(({ path }) => path !== 'agent/leave');
    const requests = new FuzzRequests(SEED, endpoints, [ROOT_TOKEN, ROOT_TOKEN, '', 'unknown']);
    const wrong: string[] = [];
    let left = ROUNDS / 2;
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const request = requests.next();
        const reply = await answerOf(wire, request);
        if (reply !== undefined) requests.learn(reply.text);
        const problem = reply === undefined ? undefined : problemOf(request, reply);
        if (problem !== undefined) wrong.push(`${nameOf(request)}: ${problem}`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    expect(wrong, `DROVER_SEED=${SEED}`).toEqual([]);
    expect((await wire.ok('GET status/leader')).text).toContain(':8300');
  },
);

/** Undefined for one that the server holds, or that HTTP cannot say. */
async function answerOf(wire: Wire, { method, url, body, headers = {} }: FuzzRequest): Promise<WireReply | undefined> {
  if (/[^!-~]/.test(url)) return undefined;
  try {
    return await wire.ask(`${method} ${url}`, { body, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    if (error instanceof Error && ['AbortError', 'TimeoutError'].includes(error.name)) return undefined;
    throw new Error(nameOf({ method, url, body }), { cause: error });
  }
}
