import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';

const ROUNDS = Number(process.env['DROVER_ROUNDS'] ?? 500);
const CLIENTS = 4;
const TTL_MS = 250;
const LOCK_DELAY_MS = 60;
/** Of a hundred holders so many die, so many stall until they have lost the lock, so many end their session. */
const KILLED = 2;
const STALLED = 2;
const DESTROYED = 10;
/** Rounds at least, in the worst case, that a machine with neighbours makes in a second. */
const ROUNDS_PER_SECOND = 5;

let agent: ConsulAgent | undefined;
afterEach(async () => {
  await agent?.[Symbol.asyncDispose]();
  agent = undefined;
});

/** Who has the lock as far as the clients can know, and what must not happen before when. */
class Arena {
  readonly errors: string[] = [];
  readonly #signal: AbortSignal;
  rounds = 0;
  taken = 0;
  lastLockIndex = 0;
  /** The holder is sure of the lock until then. */
  inside: { readonly client: number; readonly untilMs: number } | null = null;
  /** Nobody may have the lock before: a lock-delay runs. */
  closedUntilMs = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get isOver(): boolean {
    return this.rounds >= ROUNDS || this.errors.length > 0 || this.#signal.aborted;
  }

  enter(client: number, untilMs: number): void {
    const nowMs = performance.now();
    this.taken++;
    if (this.inside !== null && nowMs < this.inside.untilMs)
      this.errors.push(`client ${client} is inside while client ${this.inside.client} is`);
    if (nowMs < this.closedUntilMs)
      this.errors.push(`client ${client} is inside ${this.closedUntilMs - nowMs} ms early`);
    this.closedUntilMs = 0;
    this.inside = { client, untilMs };
    this.rounds++;
  }

  /** What the lock guards: writes with a fence. */
  append(client: number, lockIndex: number): void {
    if (lockIndex <= this.lastLockIndex)
      this.errors.push(`client ${client} writes with fence ${lockIndex} after ${this.lastLockIndex}`);
    this.lastLockIndex = lockIndex;
  }

  leave(): void {
    this.inside = null;
  }
}

/** One contender, with connections of its own. */
class Contender implements Disposable {
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #url: string;
  readonly #arena: Arena;
  readonly #number: number;
  readonly #random: () => number;
  #session = '';
  #renewedAtMs = 0;

  constructor(options: { url: string; arena: Arena; number: number; random: () => number }) {
    this.#url = options.url;
    this.#arena = options.arena;
    this.#number = options.number;
    this.#random = options.random;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async fight(): Promise<void> {
    while (!this.#arena.isOver) {
      await this.#ensureSession();
      const lockIndex = await this.#acquire();
      if (lockIndex === undefined) continue;
      await this.#hold(lockIndex);
    }
  }

  /** Creates one, or renews the one it has. */
  async #ensureSession(): Promise<void> {
    const sentAtMs = performance.now();
    if (this.#session !== '') {
      const { status } = await this.#ask('PUT', `/v1/session/renew/${this.#session}`);
      if (status === 200) this.#renewedAtMs = sentAtMs;
      else this.#session = '';
    }
    if (this.#session !== '') return;
    const body = {
      TTL: `${TTL_MS}ms`,
      LockDelay: `${LOCK_DELAY_MS}ms`,
      ...(this.#number % 2 === 0 ? {} : { Checks: [] }),
    };
    const { text } = await this.#ask('PUT', '/v1/session/create', body);
    this.#session = (JSON.parse(text) as { ID: string }).ID;
    this.#renewedAtMs = sentAtMs;
  }

  /** The fence of the lock, when it was taken; undefined after waiting for a change otherwise. */
  async #acquire(): Promise<number | undefined> {
    const lockIndex = this.#number % 2 === 0 ? await this.#acquireByTxn() : await this.#acquireByPut();
    if (lockIndex === undefined) await sleep(1 + this.#random() * 4);
    return lockIndex;
  }

  async #acquireByTxn(): Promise<number | undefined> {
    const lock = { KV: { Verb: 'lock', Key: 'fight', Value: '', Session: this.#session } };
    const { status, text } = await this.#ask('PUT', '/v1/txn', [lock]);
    if (status !== 200) return undefined;
    this.#enter();
    return (JSON.parse(text) as { Results: [{ KV: { LockIndex: number } }] }).Results[0].KV.LockIndex;
  }

  async #acquireByPut(): Promise<number | undefined> {
    const { status, text } = await this.#ask('PUT', `/v1/kv/fight?acquire=${this.#session}`);
    if (status !== 200 || text !== 'true') return undefined;
    this.#enter();
    const read = await this.#ask('GET', '/v1/kv/fight');
    const [entry] = JSON.parse(read.text) as [{ LockIndex: number; Session?: string }];
    // It may have stalled so long that the lock is another's by now: then it has no fence to write with.
    return entry.Session === this.#session ? entry.LockIndex : 0;
  }

  #enter(): void {
    this.#arena.enter(this.#number, this.#renewedAtMs + TTL_MS);
  }

  async #hold(lockIndex: number): Promise<void> {
    const arena = this.#arena;
    const isSure = performance.now() < this.#renewedAtMs + TTL_MS;
    if (isSure && lockIndex > 0) arena.append(this.#number, lockIndex);
    const fate = this.#random() * 100;
    if (fate < KILLED) return this.#die();
    if (fate < KILLED + STALLED) return this.#stall();
    if (arena.inside?.client === this.#number) arena.leave();
    if (fate < KILLED + STALLED + DESTROYED) return this.#destroy();
    await this.#ask('PUT', `/v1/kv/fight?release=${this.#session}`);
  }

  /** Gone without a word: its lock lapses with its TTL, and then the lock-delay runs. */
  #die(): void {
    this.#arena.closedUntilMs = this.#renewedAtMs + TTL_MS + LOCK_DELAY_MS;
    this.#session = '';
  }

  /** Comes back when its session is over; what it does then must not count. */
  async #stall(): Promise<void> {
    const session = this.#session;
    this.#die();
    await sleep(TTL_MS * 2 + 50);
    const { text } = await this.#ask('PUT', `/v1/kv/fight?release=${session}`);
    if (text !== 'false') this.#arena.errors.push(`client ${this.#number} gave back a lock that it had lost: ${text}`);
    const { status } = await this.#ask('PUT', `/v1/session/renew/${session}`);
    if (status !== 404) this.#arena.errors.push(`client ${this.#number} renewed a session that was over: ${status}`);
  }

  async #destroy(): Promise<void> {
    this.#arena.closedUntilMs = performance.now() + LOCK_DELAY_MS;
    await this.#ask('PUT', `/v1/session/destroy/${this.#session}`);
    this.#session = '';
  }

  #ask(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const request = http.request(this.#url + path, { method, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (data: string) => (text += data));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text: text.trim() }));
      });
      request.once('error', reject).end(body === undefined ? '' : JSON.stringify(body));
    });
  }
}

test(
  `of ${CLIENTS} clients that fight for a lock through sessions never two hold it, over ${ROUNDS} rounds with dead and late holders`,
  { timeout: 60_000 + (ROUNDS / ROUNDS_PER_SECOND) * 1_000 },
  async ({ signal }) => {
    const configuration = { node_name: 'fight-1', session_ttl_min: '100ms' };
    const { url } = (agent = await ConsulAgent.start({ flags: ['-dev'], configuration }));
    const arena = new Arena(signal);
    await using stack = new AsyncDisposableStack();
    const contenders = Array.from({ length: CLIENTS }, (_, number) =>
      stack.use(new Contender({ url, arena, number, random: Math.random })),
    );
    await Promise.all(contenders.map((one) => one.fight()));
    expect(arena.errors).toEqual([]);
    const read = await fetch(`${url}/v1/kv/fight`);
    expect(await read.json()).toMatchObject([{ LockIndex: arena.taken }]);
  },
);
