import type { DroverProcess } from '../drover-process.ts';
import { until } from '../until.ts';
import type { Findings } from './invariants.ts';
import { ask, keysOf, textOf } from './region-client.ts';
import type { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';

export interface LockClientsOptions {
  readonly servers: readonly DroverProcess[];
  readonly random: Seeded;
  readonly findings: Findings;
  /** The node that the sessions are of. */
  readonly node: string;
  readonly clients: number;
}

export const SESSION_TTL_MS = 3_000;
const RENEW_MS = 500;
/** Consul's sessions may live for twice their TTL. */
const GONE_MS = 2 * SESSION_TTL_MS + 6_000;
const LOCK = 'lock/main';

/** Rises with each holder, and with each write of one. */
function guardOf(lockIndex: number, tries: number): number {
  return lockIndex * 1_000_000 + tries;
}

interface Session {
  readonly id: string;
  /** When the last acknowledged renewal was sent. */
  renewedAtMs: number;
}

/** Contenders for one lock, that write what it guards while they hold it, stall, renew or abandon their session (7, 9). */
export class LockClients {
  readonly #options: LockClientsOptions;
  readonly #abandoned: string[] = [];
  #tries = 0;
  acquired = 0;
  written = 0;

  constructor(options: LockClientsOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const rows = Array.from({ length: this.#options.clients }, () => this.#options.random.fork());
    await Promise.all(rows.map((random) => this.#contend(random, signal)));
  }

  /** Sessions that nobody renews are gone. */
  async check(): Promise<void> {
    const { servers, findings } = this.#options;
    const left = async (): Promise<string[]> => {
      const listed = textOf(await ask(servers[0] as DroverProcess, '/v1/session/list?consistent')) ?? '';
      return this.#abandoned.filter((id) => listed.includes(id));
    };
    const gone = await until(async () => (await left()).length === 0, GONE_MS).then(
      () => true,
      () => false,
    );
    const names = gone ? [] : await left();
    findings.expect(7, gone, () => `nobody renews sessions ${names.join(', ')}, and they live`);
  }

  async #contend(random: Seeded, signal: AbortSignal): Promise<void> {
    let session: Session | null = null;
    while (!signal.aborted) {
      session ??= await this.#create(random);
      if (session === null) await sleep(200, signal);
      else session = await this.#round(session, random, signal);
    }
    if (session !== null) this.#abandoned.push(session.id);
  }

  /** One try to get the lock, and what is done with it; null when the session is no more to be used. */
  async #round(session: Session, random: Seeded, signal: AbortSignal): Promise<Session | null> {
    if (!(await this.#renew(session, random))) return null;
    const server = random.pick(this.#options.servers);
    const got = textOf(await ask(server, `/v1/kv/${LOCK}?acquire=${session.id}`, { method: 'PUT' }));
    if (got?.trim() !== 'true') {
      await sleep(100 + random.below(300), signal);
      return session;
    }
    this.acquired++;
    return this.#hold(session, random, signal);
  }

  async #hold(session: Session, random: Seeded, signal: AbortSignal): Promise<Session | null> {
    const { servers } = this.#options;
    const [entry] = keysOf(await ask(random.pick(servers), `/v1/kv/${LOCK}?consistent`)) ?? [];
    if (entry?.Session !== session.id) return session;
    const untilMs = performance.now() + 300 + random.below(1_500);
    while (performance.now() < untilMs && !signal.aborted) {
      await this.#write(session, entry.LockIndex, random);
      if (!(await this.#renew(session, random))) return null;
      await sleep(RENEW_MS / 4, signal);
    }
    const fate = random.next();
    // Stalls for longer than the session lives, and then goes on as if it held the lock.
    if (fate < 0.15) {
      this.#abandoned.push(session.id);
      await sleep(3 * SESSION_TTL_MS, signal);
      await this.#write(session, entry.LockIndex, random);
      return null;
    }
    await ask(random.pick(servers), `/v1/kv/${LOCK}?release=${session.id}`, { method: 'PUT' });
    return session;
  }

  /** Writes the lock's index where only the holder may: the transaction fails when the session does not hold the lock. */
  async #write(session: Session, lockIndex: number, random: Seeded): Promise<void> {
    const Value = Buffer.from(String(guardOf(lockIndex, ++this.#tries))).toString('base64');
    const body = JSON.stringify([
      { KV: { Verb: 'check-session', Key: LOCK, Session: session.id } },
      { KV: { Verb: 'set', Key: 'guarded', Value } },
    ]);
    const answer = await ask(random.pick(this.#options.servers), '/v1/txn', { method: 'PUT', body });
    if (answer.kind === 'answer' && answer.status === 200) this.written++;
  }

  async #create(random: Seeded): Promise<Session | null> {
    const body = JSON.stringify({
      Node: this.#options.node,
      NodeChecks: [],
      TTL: `${SESSION_TTL_MS}ms`,
      LockDelay: '1ms',
    });
    const renewedAtMs = performance.now();
    const text = textOf(await ask(random.pick(this.#options.servers), '/v1/session/create', { method: 'PUT', body }));
    return text === null ? null : { id: (JSON.parse(text) as { ID: string }).ID, renewedAtMs };
  }

  /** False when the session is gone. It must not be while its last acknowledged renewal is younger than its TTL. */
  async #renew(session: Session, random: Seeded): Promise<boolean> {
    const sentAtMs = performance.now();
    if (sentAtMs - session.renewedAtMs < RENEW_MS) return true;
    const server = random.pick(this.#options.servers);
    const answer = await ask(server, `/v1/session/renew/${session.id}`, { method: 'PUT', withinMs: 1_500 });
    if (answer.kind !== 'answer') return true;
    const ageMs = performance.now() - session.renewedAtMs;
    const isGone = answer.status === 404;
    if (isGone || answer.status === 200)
      this.#options.findings.expect(
        7,
        !isGone || ageMs >= SESSION_TTL_MS,
        () => `${server.name} has no session ${session.id}, renewed ${Math.round(ageMs)} ms ago`,
      );
    if (answer.status === 200) session.renewedAtMs = sentAtMs;
    return !isGone;
  }
}
