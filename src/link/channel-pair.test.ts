import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelPair } from './channel-pair.ts';
import type { NodeMessage } from './messages.ts';

const ping: NodeMessage = { type: 'ping' };
const report = (id: number): NodeMessage => ({ type: 'report', id, transitions: [] });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('channelPair()', () => {
  test('channelPair() delivers in order, and never within send', async () => {
    const [node, region] = channelPair();
    const got: NodeMessage[] = [];
    region.onMessage((message) => got.push(message));
    for (const id of [1, 2, 3]) node.send(report(id));
    expect(got).toEqual([]);
    await turn();
    expect(got).toEqual([report(1), report(2), report(3)]);
  });

  test('channelPair() hands over copies, so that neither side sees the other’s later changes', async () => {
    const [node, region] = channelPair();
    const got: NodeMessage[] = [];
    region.onMessage((message) => got.push(message));
    const message = { type: 'report' as const, id: 1, transitions: [{ type: 'instance-gone' as const, id: 'a' }] };
    node.send(message);
    message.transitions.pop();
    await turn();
    expect(got).toEqual([{ type: 'report', id: 1, transitions: [{ type: 'instance-gone', id: 'a' }] }]);
  });

  test('channelPair() throws at send when a message is no plain data', () => {
    const [node] = channelPair();
    expect(() => node.send({ type: 'ping', handle: () => {} } as never)).toThrow('could not be cloned');
  });

  test('channelPair() keeps what came before the handler was set', async () => {
    const [node, region] = channelPair();
    node.send(ping);
    await turn();
    const got: NodeMessage[] = [];
    region.onMessage((message) => got.push(message));
    await turn();
    expect(got).toEqual([ping]);
  });

  test('channelPair() delivers what was sent before a close, then the close with its reason, once', async () => {
    const [node, region] = channelPair();
    const got: string[] = [];
    node.onClose((reason) => got.push(`node ${reason}`));
    region.onMessage(({ type }) => got.push(type));
    region.onClose((reason) => got.push(`region ${reason}`));
    node.send(ping);
    node.close('done');
    node.close('again');
    await turn();
    region.close('late');
    await turn();
    expect(got.toSorted()).toEqual(['node done', 'ping', 'region done']);
    expect(got.indexOf('ping')).toBeLessThan(got.indexOf('region done'));
  });

  test('channelPair() drops what is sent after a close', async () => {
    const [node, region] = channelPair();
    const got: unknown[] = [];
    region.onMessage((message) => got.push(message));
    node.onMessage((message) => got.push(message));
    node.close('done');
    node.send(ping);
    region.send({ type: 'pong' });
    await turn();
    expect(got).toEqual([]);
  });

  test('channelPair() tells of a close that came before the handler was set', async () => {
    const [node, region] = channelPair();
    node.close('early');
    await turn();
    const reasons: string[] = [];
    region.onClose((reason) => reasons.push(reason));
    node.onClose((reason) => reasons.push(reason));
    await turn();
    expect(reasons).toEqual(['early', 'early']);
  });

  test('channelPair() delivers a prefix of what was sent, in order, wherever the close comes', async () => {
    const property = fc.asyncProperty(fc.nat({ max: 10 }), fc.nat({ max: 10 }), async (before, after) => {
      const [node, region] = channelPair();
      const got: number[] = [];
      region.onMessage((message) => got.push((message as { id: number }).id));
      for (let id = 0; id < before; id++) node.send(report(id));
      node.close('done');
      for (let id = 0; id < after; id++) node.send(report(100 + id));
      await turn();
      expect(got).toEqual(Array.from({ length: before }, (_one, id) => id));
    });
    await fc.assert(property, { numRuns: 30 });
  });
});
