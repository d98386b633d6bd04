import { expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import { askRegion, type RegionAnswer } from './ask-region.ts';
import { KeptAnswers } from './kept-answers.ts';
import { RegionContact } from './region-contact.ts';
import { RegionalQuestion } from './regional-question.ts';
import { TestServers, TestUpstream } from './testing.ts';

const [S1, S2] = ['http://10.0.0.1:8500', 'http://10.0.0.2:8500'] as const;
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

function fixture(linked: string | null = S1) {
  const clock = new FakeClock();
  const servers = new TestServers([S1, S2], linked);
  const upstream = new TestUpstream();
  const contact = new RegionContact(servers, clock);
  const kept = new KeptAnswers({ most: 10, octets: 1 << 20 });
  const gone = new AbortController();
  const ask = (method: string, url: string) => {
    const came = {
      method,
      url,
      rawHeaders: [],
      headers: {},
      remoteAddress: undefined,
      body: null,
      signal: gone.signal,
    };
    const question = new RegionalQuestion(came, { node: 'n1', defaultToken: '' });
    const asked: { answer: RegionAnswer | 'open' | Error } = { answer: 'open' };
    askRegion({ upstream, contact, kept, clock }, question).then(
      (answer) => (asked.answer = answer),
      (error: Error) => (asked.answer = error),
    );
    const keep = (index: string): void =>
      kept.put(question.key ?? '', { status: 200, headers: [], body: Buffer.from('old'), index });
    return { asked, keep };
  };
  return { clock, servers, upstream, contact, kept, gone, ask };
}

test('askRegion() asks the server that the agent is linked to', async () => {
  const { ask, upstream, servers } = fixture();
  servers.link(S2);
  const { asked } = ask('GET', '/v1/catalog/services');
  upstream.last.answer();
  await turns();
  expect(asked.answer).toMatchObject({ type: 'live' });
  expect(upstream.sent.map(({ server }) => server)).toEqual([S2]);
});

test('askRegion() asks another server for a read that was lost, once', async () => {
  const { ask, upstream } = fixture();
  const { asked } = ask('GET', '/v1/catalog/services');
  upstream.last.lose();
  await turns();
  upstream.last.answer();
  await turns();
  expect(asked.answer).toMatchObject({ type: 'live' });
  expect(upstream.sent.map(({ server }) => server)).toEqual([S1, S2]);
});

test('askRegion() never sends a change twice', async () => {
  const { ask, upstream } = fixture();
  const { asked } = ask('PUT', '/v1/kv/a');
  upstream.last.lose(true);
  await turns();
  expect(asked.answer).toEqual({ type: 'none', wasSent: true });
  expect(upstream.sent).toHaveLength(1);
});

test('askRegion() sends a change to another server when the first cannot have seen it', async () => {
  const { ask, upstream } = fixture();
  upstream.down.add(S1);
  const { asked } = ask('PUT', '/v1/kv/a');
  await turns();
  upstream.last.answer();
  await turns();
  expect(asked.answer).toMatchObject({ type: 'live' });
  expect(upstream.sent.map(({ server }) => server)).toEqual([S2]);
});

test('askRegion() gives what was answered before when no server is there, but not for ?consistent', async () => {
  const { ask, upstream } = fixture(null);
  upstream.down.add(S1).add(S2);
  const first = ask('GET', '/v1/kv/a?consistent');
  first.keep('7');
  const second = ask('GET', '/v1/kv/a');
  second.keep('7');
  const other = ask('GET', '/v1/kv/b');
  await turns();
  expect(first.asked.answer).toEqual({ type: 'none', wasSent: false });
  expect(second.asked.answer).toMatchObject({ type: 'kept', answer: { index: '7' } });
  expect(other.asked.answer).toEqual({ type: 'none', wasSent: false });
});

test('askRegion() asks again for what waits, at another server, with what is left of its wait', async () => {
  const { ask, clock, upstream } = fixture();
  const { asked } = ask('GET', '/v1/health/service/web?index=7&wait=60s');
  expect(upstream.last).toMatchObject({ waits: true, path: '/v1/health/service/web?index=7&wait=60000ms' });
  await clock.advance(20_000);
  upstream.last.lose();
  await turns();
  expect(upstream.last).toMatchObject({ server: S2, path: '/v1/health/service/web?index=7&wait=40000ms' });
  await clock.advance(10_000);
  upstream.last.lose();
  await turns();
  await clock.advance(500);
  await turns();
  expect(upstream.last.path).toBe('/v1/health/service/web?index=7&wait=29500ms');
  upstream.last.answer();
  await turns();
  expect(asked.answer).toMatchObject({ type: 'live' });
});

test('askRegion() wakes nobody because a server is lost: what waits ends at its time with what it knew', async () => {
  const { ask, clock, upstream, servers } = fixture();
  const { asked, keep } = ask('GET', '/v1/health/service/web?index=7&wait=60s');
  keep('7');
  upstream.down.add(S1).add(S2);
  servers.link(null);
  upstream.last.lose();
  await turns();
  await clock.advance(59_000);
  await turns();
  expect(asked.answer).toBe('open');
  await clock.advance(1_100);
  await turns();
  expect(asked.answer).toMatchObject({ type: 'kept', answer: { index: '7' } });
});

test('askRegion() gives what waits at once what it has not seen, and nothing from before what it has', async () => {
  const { ask, upstream } = fixture(null);
  upstream.down.add(S1).add(S2);
  const behind = ask('GET', '/v1/kv/a?index=5');
  behind.keep('7');
  const ahead = ask('GET', '/v1/kv/a?index=9');
  await turns();
  expect(ahead.asked.answer).toBe('open');
  const again = ask('GET', '/v1/kv/a?index=5');
  await turns();
  expect(again.asked.answer).toMatchObject({ type: 'kept' });
});

test('askRegion() asks again as soon as a server is linked', async () => {
  const { ask, upstream, servers } = fixture(null);
  upstream.down.add(S1).add(S2);
  const { asked } = ask('GET', '/v1/kv/a?index=7&wait=60s');
  await turns();
  expect(upstream.sent).toHaveLength(0);
  upstream.down.clear();
  servers.link(S2);
  await turns();
  expect(upstream.last.server).toBe(S2);
  upstream.last.answer();
  await turns();
  expect(asked.answer).toMatchObject({ type: 'live' });
});

test('askRegion() does not wait for a server that says nothing and whose link is lost', async () => {
  const { ask, upstream, servers } = fixture();
  ask('GET', '/v1/kv/a?index=7&wait=60s');
  servers.link(S1);
  await turns();
  expect(upstream.sent.map(({ server }) => server)).toEqual([S1]);
  servers.link(S2);
  await turns();
  expect(upstream.sent.map(({ server }) => server)).toEqual([S1, S2]);
});

test('askRegion() lets a read that is under way be answered after the link is lost, for a moment', async () => {
  const { ask, clock, upstream, servers } = fixture();
  const { asked } = ask('GET', '/v1/kv/a');
  servers.link(null);
  await clock.advance(1_900);
  await turns();
  upstream.last.answer();
  await turns();
  expect(asked.answer).toMatchObject({ type: 'live' });
  expect(upstream.sent).toHaveLength(1);
  servers.link(S1);
  ask('GET', '/v1/kv/a');
  servers.link(null);
  await clock.advance(2_100);
  await turns();
  expect(upstream.last.server).toBe(S2);
});

test('askRegion() ends with its client', async () => {
  const { ask, upstream, gone } = fixture();
  const { asked } = ask('GET', '/v1/kv/a?index=7');
  gone.abort(new Error('the client is gone'));
  await turns();
  expect(asked.answer).toEqual(new Error('the client is gone'));
  expect(upstream.sent).toHaveLength(1);
});

test('RegionContact says how long nobody was heard of, and leaves out who gave no answer just now', async () => {
  const { clock, contact, servers } = fixture();
  await clock.advance(5_000);
  expect(contact.lastContactMs).toBe(0);
  servers.link(null);
  await clock.advance(3_000);
  expect(contact.lastContactMs).toBe(3_000);
  contact.lost(S1);
  expect(contact.order()).toEqual([S2]);
  await clock.advance(1_000);
  expect(contact.order()).toEqual([S1, S2]);
  contact.lost(S2);
  servers.link(S2);
  expect(contact.order()).toEqual([S2, S1]);
  expect(contact.lastContactMs).toBe(0);
});
