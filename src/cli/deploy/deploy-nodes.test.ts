import { expect, test } from 'vitest';
import { ApiError, UnreachableError, type WireDeployment, type WireNode } from '../../../client/src/index.ts';
import { FakeClock } from '../../lib/index.ts';
import { deployNodes, type DeployOptions } from './deploy-nodes.ts';
import { newDeployment } from './plan.ts';

const away = new ApiError(503, { code: 'LINK_AWAY', message: 'no link' });

/** One node of a region that is played by hand. */
interface Played {
  order: Error | null;
  provisions: Error | readonly { readonly causes: readonly string[]; readonly succeeded: boolean; result: string }[];
  held: string | null;
  status: WireNode['status'];
  answers: boolean;
}

const DONE = [{ causes: ['instance:deploy d.1'], succeeded: true, result: 'exit 0' }];
const PLAYED: Played = { order: null, provisions: [], held: null, status: 'up', answers: true };

function play(node: Partial<Played>, limitMs = 60_000) {
  const played: Played = { ...PLAYED, ...node };
  const clock = new FakeClock();
  const said: string[] = [];
  const orders: string[] = [];
  const client = {
    provisionNode: (name: string) => {
      if (played.order !== null) return Promise.reject(played.order);
      orders.push(name);
      return Promise.resolve();
    },
    nodeProvisions: () => {
      if (played.provisions instanceof Error) return Promise.reject(played.provisions);
      return Promise.resolve({ listener: { held: played.held }, provisions: played.provisions });
    },
    nodeMachine: () => Promise.resolve({ answers: played.answers }),
    node: () => Promise.resolve({ status: played.status }),
    saveDeployment: (_id: string, { revision }: WireDeployment) => Promise.resolve({ revision: revision + 1 }),
  } as unknown as DeployOptions['client'];
  const start = newDeployment('web', ['a'], { atOnce: 1, mostFailures: 1 });
  const options = { id: 'd.1', client, clock, limitMs, say: (text: string) => void said.push(text) };
  let end: string | null = null;
  const done = deployNodes(start, { ...options, signal: new AbortController().signal }).then(
    (state) => (end = state.nodes['a'] ?? ''),
  );
  return { played, clock, said, orders, done, end: () => end };
}

test.each<[what: string, node: Partial<Played>, end: string, said: string]>([
  ['succeeds', { provisions: DONE }, 'done', 'a is done'],
  ['fails', { provisions: [{ ...DONE[0]!, succeeded: false, result: 'exit 3' }] }, 'failed', 'a failed: exit 3'],
  ['may not be told', { order: new ApiError(403, { code: 'ACCESS_DENIED', message: 'no' }) }, 'failed', 'a failed: no'],
  ['is down before it is told', { order: away, status: 'down' }, 'failed', 'a failed: the node is down'],
  ['has left', { provisions: away, status: 'left' }, 'failed', 'a failed: the node is left'],
  [
    'is down with its machine',
    { provisions: away, status: 'down', answers: false },
    'failed',
    'a failed: the node is down, and its machine does not answer',
  ],
])('deployNodes() of a node that %s', async (_what, node, end, said) => {
  const run = play(node);
  await run.clock.advance(1_000);
  expect([run.end(), run.said.at(-1)]).toEqual([end, said]);
});

test.each<[what: string, trouble: Partial<Played>]>([
  ['is down while its machine is there: its run may go on', { provisions: away, status: 'down' }],
  ['is suspected', { provisions: away, status: 'suspected' }],
  ['is not linked when it is to be told', { order: away }],
  ['cannot be asked for, as the server does not answer', { provisions: new UnreachableError('http://a', 'refused') }],
  ['cannot be asked for, as the store has no leader', { order: new ApiError(500, { code: 'X', message: 'x' }) }],
])('deployNodes() keeps the place of a node that %s, and takes up its end', async (_what, trouble) => {
  const run = play(trouble);
  await run.clock.advance(5_000);
  expect(run.end()).toBeNull();
  Object.assign(run.played, PLAYED, { provisions: DONE });
  await run.clock.advance(1_000);
  expect([run.end(), run.orders]).toEqual(['done', ['a']]);
});

test('deployNodes() says once what a node waits for, and gives up after its limit', async () => {
  const run = play({ held: 'waits for a place' }, 10_000);
  await run.clock.advance(11_000);
  expect(run.said).toEqual(['a is told to provision', 'a waits for a place', 'a failed: not within 10 s']);
  expect(run.end()).toBe('failed');
});
