import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { linkAway, type Order } from '../../link/index.ts';
import { ReachNode } from './reach-node.ts';

const ASKER = { secret: 's3cret', isDirect: false };

const NODES: Record<string, object> = {
  here: { record: { address: '10.0.0.2' }, alive: { status: 'suspected' } },
  there: { record: { address: '10.0.0.2' }, alive: { status: 'up' } },
  lost: { record: { address: '10.0.0.1' }, alive: { status: 'down' } },
  late: { record: { address: '10.0.0.2' }, alive: { status: 'down' } },
};

let asked: string[];
let answer: { status: number; body: object };
const server = createServer((request: IncomingMessage, response) => {
  asked.push(`${request.method} ${request.url} ${String(request.headers['x-consul-token'])}`);
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
});

beforeEach(async () => {
  asked = [];
  answer = { status: 200, body: { listener: null, provisions: [] } };
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  server.close();
  await once(server, 'close');
});

function reach(orders: [string, Order][] = []): ReachNode {
  const { port } = server.address() as AddressInfo;
  const self = { name: 's1', address: '127.0.0.1', httpPort: 1 };
  const owners: Record<string, string> = { here: 's1', there: 's2', lost: 's3', late: 's1' };
  return new ReachNode({
    links: {
      nodes: () => ['here'],
      order: (node, order) => void orders.push([node, order]),
      ask: () => Promise.resolve({ status: { listener: null, provisions: [] } }) as never,
    },
    catalog: {
      node: (name) => NODES[name] as never,
      nodeState: (name) => ({ owner: { epoch: 1, server: owners[name] } }) as never,
    },
    isSilent: (address) => Promise.resolve(address !== '10.0.0.1'),
    servers: { self, list: () => [self, { ...self, name: 's2', httpPort: port }] } as never,
  });
}

test('ReachNode reaches a node of its own over its link', async () => {
  const orders: [string, Order][] = [];
  await reach(orders).provision('here', 'why', ASKER);
  expect(orders).toEqual([['here', { type: 'provision', skipSettle: true, cause: 'why' }]]);
  expect(await reach().provisions('here', ASKER)).toEqual({ listener: null, provisions: [] });
  expect(asked).toEqual([]);
});

test('ReachNode reaches a node of another server through that, with the token of whoever asks', async () => {
  await reach().provision('there', 'why not', ASKER);
  expect(await reach().provisions('there', ASKER)).toEqual({ listener: null, provisions: [] });
  expect(asked).toEqual([
    'POST /v2/nodes/there/provisions?direct=true&cause=why%20not s3cret',
    'GET /v2/nodes/there/provisions?direct=true s3cret',
  ]);
});

test.each([
  ['its server is gone', 'lost', ASKER],
  ['it was linked here last', 'late', ASKER],
  ['another server asks already', 'there', { ...ASKER, isDirect: true }],
])('ReachNode says that a node is away when %s', async (_when, node, via) => {
  await expect(reach().provisions(node, via)).rejects.toMatchObject({ code: linkAway.code });
  expect(asked).toEqual([]);
});

test("ReachNode hands on the other server's error", async () => {
  answer = { status: 403, body: { error: { code: 'ACCESS_DENIED', message: 'no' } } };
  await expect(reach().provision('there', 'x', ASKER)).rejects.toMatchObject({ code: 'ACCESS_DENIED', status: 403 });
});

test.each([
  ['is linked here', 'here', true],
  ['is up', 'there', true],
  ['is down, and its machine refuses a connection', 'lost', true],
  ['is down, and nothing comes back', 'late', false],
  ['is unknown', 'nobody', false],
])('ReachNode.answers() of a node that %s', async (_what, node, answers) => {
  expect(await reach().answers(node)).toBe(answers);
});
