import { expect, test } from 'vitest';
import type { Shared } from '../dns/index.ts';
import type { AppliedChange } from '../registry/index.ts';
import { DnsShares } from './dns-shares.ts';

const none: ReadonlySet<string> = new Set();
const change = (revision: number, services: readonly string[], nodes: readonly string[] = []): AppliedChange => ({
  revision,
  appliedAtMs: 0,
  topics: none,
  nodes: new Set(nodes),
  services: new Set(services),
  definitions: none,
  datastores: none,
  summary: [],
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const ASK = { packet: 'AAAA', transport: 'udp', maxBytes: null, client: '127.0.0.1' } as const;

/** A server whose DNS says that each answer follows from `topics`. */
function start() {
  const told: [node: string, topics: readonly string[]][] = [];
  const open: PromiseWithResolvers<void>[] = [];
  const receipts: number[] = [];
  const topics = { of: ['svc/web'] as readonly string[] };
  const rendered = [{ body: Buffer.of(1) }] as unknown as Shared['rendered'];
  const shares = new DnsShares({
    share: () => ({ answer: Buffer.of(7), rendered, dependsOn: topics.of }),
    tell: (node, stale) => {
      told.push([node, stale]);
      const one = Promise.withResolvers<void>();
      open.push(one);
      return one.promise;
    },
    applied: (revision) => void receipts.push(revision),
  });
  const link = (node: string) => {
    const abort = new AbortController();
    return { ask: () => shares.answer(ASK, { from: node, signal: abort.signal }), end: () => abort.abort() };
  };
  return { shares, told, open, receipts, topics, link };
}

test('DnsShares gives an answer with what it is made of and follows from', async () => {
  const { link } = start();
  expect(await link('a').ask()).toMatchObject({
    packet: Buffer.of(7).toString('base64'),
    shared: { answers: [{ body: Buffer.of(1).toString('base64') }], topics: ['svc/web'] },
  });
});

test('DnsShares tells who holds something of a change, once, and nobody else', async () => {
  const { shares, told, topics, link } = start();
  await link('a').ask();
  topics.of = ['svc/db', 'node/n1'];
  await link('b').ask();
  shares.apply(change(1, ['other']));
  expect(told).toEqual([]);
  const both = change(2, ['WEB'], ['N1']);
  shares.apply(both);
  shares.apply(both);
  expect(told).toEqual([
    ['a', ['svc/web']],
    ['b', ['node/n1']],
  ]);
  shares.apply(change(3, ['web']));
  expect(told).toHaveLength(2);
});

test('DnsShares has taken a change up when everybody has dropped what it touches', async () => {
  const { shares, open, receipts, link } = start();
  await link('a').ask();
  await link('b').ask();
  expect(shares.take(change(1, ['other']))).toBe('applied');
  expect(shares.take(change(2, ['web']))).toBeNull();
  // What comes after is not said to be taken up before it.
  expect(shares.take(change(3, ['other']))).toBeNull();
  open[0]?.resolve();
  await turn();
  expect(receipts).toEqual([]);
  open[1]?.resolve();
  await turn();
  expect(receipts).toEqual([2, 3]);
  expect(shares.take(change(4, ['web']))).toBe('applied');
});

test('DnsShares waits for nobody who is gone', async () => {
  const { shares, open, receipts, link } = start();
  const agent = link('a');
  await agent.ask();
  expect(shares.take(change(1, ['web']))).toBeNull();
  open[0]?.reject(new Error('the link is gone'));
  await turn();
  expect(receipts).toEqual([1]);
  await agent.ask();
  agent.end();
  expect(shares.take(change(2, ['web']))).toBe('applied');
});

test('DnsShares forgets nothing of a new link when the one before it ends', async () => {
  const { shares, told, link } = start();
  const before = link('a');
  await before.ask();
  before.end();
  await link('a').ask();
  before.end();
  shares.apply(change(1, ['web']));
  expect(told).toEqual([['a', ['svc/web']]]);
});

test('DnsShares tells everybody when DNS answers otherwise altogether', async () => {
  const { shares, told, link } = start();
  await link('a').ask();
  shares.forgetAll();
  expect(told).toEqual([['a', ['*']]]);
});
