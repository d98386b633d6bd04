import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';

const LOCK_DELAY_MS = 300;
const RESTARTS = 4;
const ACCOUNTS = 10;
const BALANCE = 1_000;

let agent: ConsulAgent | undefined;
afterEach(async () => {
  await agent?.[Symbol.asyncDispose]();
  agent = undefined;
});

async function startAgent(): Promise<ConsulAgent> {
  agent = await ConsulAgent.start({
    flags: ['-server'],
    configuration: { node_name: 'n1', session_ttl_min: '1s' },
  });
  return agent;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

async function put(path: string, body?: unknown): Promise<Reply> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const reply = await fetch(`${agent?.url}/v1/${path}`, {
    method: 'PUT',
    ...(text === undefined ? {} : { body: text }),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: reply.status, text: await reply.text() };
}

async function get(path: string): Promise<Reply> {
  const reply = await fetch(`${agent?.url}/v1/${path}`, { signal: AbortSignal.timeout(20_000) });
  return { status: reply.status, text: await reply.text() };
}

/** Asks until somebody answers: the server is killed again and again. What is asked may so be done twice. */
async function surely(ask: () => Promise<Reply>): Promise<Reply> {
  for (;;) {
    try {
      const reply = await ask();
      if (reply.status < 500 || reply.text.startsWith('invalid session')) return reply;
    } catch {
      // It does not run at the moment.
    }
    await sleep(30);
  }
}

async function killAndStart(server: ConsulAgent): Promise<void> {
  for (let round = 0; round < RESTARTS; round++) {
    await sleep(1_000);
    await server.end('SIGKILL');
    await server.begin();
  }
}

test('a lock has one holder at most, and its lock-delay holds, while the server is killed again and again', async () => {
  const server = await startAgent();
  const errors: string[] = [];
  let [isDone, taken, closedUntilMs] = [false, 0, 0];
  let holder: number | null = null;
  const contend = async (client: number): Promise<void> => {
    const open = async (): Promise<string> => {
      const { text } = await surely(() => put('session/create', { TTL: '20s', LockDelay: `${LOCK_DELAY_MS}ms` }));
      return (JSON.parse(text) as { ID: string }).ID;
    };
    for (let session = await open(); !isDone; await sleep(20)) {
      await surely(() => put(`kv/lock?acquire=${session}`, String(client)));
      // The answer may be lost with the server: what stands says who has it.
      if (!(await surely(() => get('kv/lock'))).text.includes(session)) continue;
      if (holder !== null) errors.push(`${client} has the lock beside ${holder}`);
      if (performance.now() < closedUntilMs) errors.push(`${client} has the lock within its lock-delay`);
      holder = client;
      taken++;
      await sleep(50);
      holder = null;
      if (taken % 3 > 0) await surely(() => put(`kv/lock?release=${session}`, 'free'));
      else {
        closedUntilMs = performance.now() + LOCK_DELAY_MS - 10;
        await surely(() => put(`session/destroy/${session}`));
        session = await open();
      }
    }
  };
  const all = Promise.all([1, 2, 3, 4].map(contend));
  await killAndStart(server);
  isDone = true;
  await all;
  expect(errors).toEqual([]);
  expect(taken).toBeGreaterThan(2);
}, 90_000);

test('transactions that move sums about lose and make nothing while the server is killed again and again', async () => {
  const server = await startAgent();
  const encode = (value: number): string => Buffer.from(String(value)).toString('base64');
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => `bank/${n}`);
  await put(
    'txn',
    accounts.map((Key) => ({ KV: { Verb: 'set', Key, Value: encode(BALANCE) } })),
  );
  let [isDone, moved] = [false, 0];
  const sums = new Set<number>();
  type Entry = { readonly Key: string; readonly Value: string; readonly ModifyIndex: number };
  const valueOf = ({ Value }: Entry): number => Number(Buffer.from(Value, 'base64').toString());
  const move = async (from: number): Promise<void> => {
    for (let n = 0; !isDone; n++) {
      const keys = [from % ACCOUNTS, (from + 1 + (n % (ACCOUNTS - 1))) % ACCOUNTS].map((one) => accounts[one]);
      try {
        const read = await put(
          'txn',
          keys.map((Key) => ({ KV: { Verb: 'get', Key } })),
        );
        const entries = (JSON.parse(read.text) as { Results: { KV: Entry }[] }).Results.map(({ KV }) => KV);
        const ops = entries.map((one, at) => ({
          KV: { Verb: 'cas', Key: one.Key, Index: one.ModifyIndex, Value: encode(valueOf(one) + (at === 0 ? -7 : 7)) },
        }));
        if ((await put('txn', ops)).status === 200) moved++;
      } catch {
        await sleep(30);
      }
    }
  };
  const sum = async (): Promise<void> => {
    for (; !isDone; await sleep(50)) {
      const { text } = await surely(() => get('kv/bank/?recurse'));
      sums.add((JSON.parse(text) as Entry[]).reduce((all, one) => all + valueOf(one), 0));
    }
  };
  const all = Promise.all([...Array.from({ length: 20 }, (_, n) => move(n)), sum()]);
  await killAndStart(server);
  await sleep(500);
  isDone = true;
  await all;
  expect([...sums]).toEqual([ACCOUNTS * BALANCE]);
  expect(moved).toBeGreaterThan(10);
}, 90_000);

test('a server that was stopped for longer than a TTL goes on with the sessions that are renewed', async () => {
  const server = await startAgent();
  const { text } = await put('session/create', { TTL: '4s' });
  const { ID } = JSON.parse(text) as { ID: string };
  server.signal('SIGSTOP');
  // It lies in the socket's buffer until the process goes on.
  await sleep(1_000);
  const renewing = put(`session/renew/${ID}`);
  await sleep(7_500);
  server.signal('SIGCONT');
  expect((await renewing).status).toBe(200);
  await sleep(1_000);
  expect(JSON.parse((await get(`session/info/${ID}`)).text)).toHaveLength(1);
}, 60_000);
