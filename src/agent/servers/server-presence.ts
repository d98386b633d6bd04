import { messageOf, type Clock, type Timer } from '../../lib/index.ts';
import { serverKey, type ServerRecord } from '../../registry/index.ts';
import { keyRange, LeaseKeeper, type Entry, type Lease, type Store } from '../../store/index.ts';
import { serverNameTaken } from '../errors.ts';

export interface ServerPresenceOptions {
  readonly store: Store;
  readonly record: ServerRecord;
  /** Of the lease that the record stands under. */
  readonly ttlMs: number;
  readonly clock: Clock;
  /** Told of what failed; it is tried again. */
  readonly report: (error: unknown) => void;
}

/** What became of a try to put the record. */
type Claimed = 'put' | 'later' | { readonly taken: ServerRecord };

/** A name that another holds is given up when it is still held after so many TTLs: a server that died has lost it by then. */
const PATIENCE = 1.5;

/**
 * Says in the store that this server runs, under a lease: it is gone soon after the server is. One name is one server's, told apart
 * by what its data directory is known by; a server that comes back after a crash takes its name over at once.
 */
export class ServerPresence implements AsyncDisposable {
  readonly #options: ServerPresenceOptions;
  readonly #keeper: LeaseKeeper;
  #record: ServerRecord;
  #putting: Promise<Claimed> = Promise.resolve('later');
  #again: Timer | undefined;
  /** What failed last; empty when nothing did. */
  #said = '';
  #isClosed = false;
  /** The lease that the record stands under. */
  #standsUnder: Lease | null = null;

  /** @throws AGENT_SERVER_NAME_TAKEN when another server has the name; where the store takes no writes it is said later */
  static async start(options: ServerPresenceOptions): Promise<ServerPresence> {
    await using stack = new AsyncDisposableStack();
    const presence = stack.use(new ServerPresence(options));
    await presence.#claim();
    stack.move();
    return presence;
  }

  private constructor(options: ServerPresenceOptions) {
    this.#options = options;
    this.#record = options.record;
    const { store, ttlMs, clock, report } = options;
    this.#keeper = LeaseKeeper.start({ store, ttlMs, clock, report });
    this.#keeper.onChange(() => void this.#put());
  }

  /** What stands in the store, or is to. */
  get record(): ServerRecord {
    return this.#record;
  }

  /** Whether the record stands: by the monotonic clock, and no longer than the store certainly holds it. */
  get stands(): boolean {
    const { lease } = this.#keeper;
    return lease !== null && lease === this.#standsUnder;
  }

  /** Says where it is reached, or that it is no more. */
  async announce(changed: Partial<Pick<ServerRecord, 'address' | 'httpPort'>>): Promise<void> {
    this.#record = { ...this.#record, ...changed };
    await this.#put();
  }

  /** Says it again where it is not said any more, as after a restore. */
  check(known: ServerRecord | undefined): void {
    if (known?.incarnation !== this.#record.incarnation) void this.#put();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#again?.cancel();
    await this.#putting;
    await this.#keeper[Symbol.asyncDispose]();
  }

  async #claim(): Promise<void> {
    const { store, clock, ttlMs } = this.#options;
    const { engine, leaderKnown } = store.status();
    // Nobody else is there to have the name, or nobody can say whether.
    if (engine === 'sqlite' || !leaderKnown) return;
    const untilMs = clock.now() + ttlMs * PATIENCE;
    for (let claimed = await this.#leased(); claimed !== 'put'; claimed = await this.#put()) {
      const isLate = clock.now() >= untilMs;
      if (claimed === 'later' && (isLate || !store.status().leaderKnown)) return;
      if (claimed !== 'later' && isLate) throw takenBy(claimed.taken);
      await clock.sleep(ttlMs / 20);
    }
  }

  #leased(): Promise<Claimed> {
    return new Promise((resolve) => {
      const stop = this.#keeper.onChange(() => {
        timer.cancel();
        stop();
        resolve(this.#put());
      });
      const { clock, ttlMs } = this.#options;
      const timer = clock.after(ttlMs / 3, () => {
        stop();
        resolve(this.#put());
      });
    });
  }

  /** One after the other. Never rejects. */
  #put(): Promise<Claimed> {
    this.#putting = this.#putting.then(() => this.#tryToPut()).then((claimed) => this.#settle(claimed));
    return this.#putting;
  }

  /** What does not stand is put again while there is a lease: a server that nobody knows of is thought dead, and its nodes with it. */
  #settle(claimed: Claimed): Claimed {
    this.#again?.cancel();
    if (claimed === 'put') this.#said = '';
    else if (!this.#isClosed && this.#keeper.lease !== null)
      this.#again = this.#options.clock.after(this.#options.ttlMs / 10, () => void this.#put());
    return claimed;
  }

  /** Once in a row. */
  #say(error: Error): void {
    if (error.message !== this.#said) this.#options.report(error);
    this.#said = error.message;
  }

  async #tryToPut(): Promise<Claimed> {
    const { store } = this.#options;
    const { lease } = this.#keeper;
    if (this.#isClosed || lease === null) return 'later';
    const key = serverKey(this.#record.name);
    try {
      const found = (await store.read(keyRange(key), { linearizable: true })).entries[0];
      const other = otherIn(found, this.#record, store.status().engine === 'sqlite');
      if (other !== null) {
        this.#say(takenBy(other));
        return { taken: other };
      }
      const value = JSON.stringify(this.#record);
      const compares = [{ key, modRevision: found?.modRevision ?? 0 }];
      const { ok } = await store.commit({ compares, writes: [{ type: 'put', key, value, lease }] });
      if (ok) this.#standsUnder = lease;
      return ok ? 'put' : 'later';
    } catch (error) {
      this.#say(new Error(`cannot say that this server runs: ${messageOf(error)}`, { cause: error }));
      return 'later';
    }
  }
}

/** Who else has the name; null for nobody, and for what this very server left when it was killed. */
function otherIn(found: Entry | undefined, own: ServerRecord, isAlone: boolean): ServerRecord | null {
  if (found === undefined || isAlone) return null;
  try {
    const other = JSON.parse(found.value) as ServerRecord;
    return placeOf(other) === placeOf(own) ? null : other;
  } catch {
    return null;
  }
}

/** An incarnation is `<what the data directory is known by>.<what this start is known by>`. */
function placeOf({ incarnation }: ServerRecord): string {
  return incarnation.slice(0, incarnation.indexOf('.'));
}

function takenBy({ name, address, httpPort, incarnation }: ServerRecord): Error {
  return serverNameTaken(name, httpPort === 0 ? address : `${address}:${httpPort}`, incarnation);
}
