import { Backoff, shuffle } from '../../lib/index.ts';

/** What is wrong with a member: it cannot be reached, or it answers and has no leader (then it still gives serializable reads). */
export type Trouble = 'down' | 'leaderless';

export type Choice =
  | { readonly endpoint: string }
  /** Every member that would do is waited for; the first of them for so long. */
  | { readonly waitMs: number };

interface Pause {
  readonly backoff: Backoff;
  untilMs: number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS: Record<Trouble, number> = { down: 2000, leaderless: 1000 };

/**
 * Decides which member calls go to: a random one to begin with, so that servers are not all at one member, the same one while it
 * does, and then the next. One that failed is left alone for 50 ms to 2 s, doubling, with jitter: a dead member answers a thousand
 * times a second that it is dead.
 */
export class Endpoints {
  readonly #random: () => number;
  readonly #configured: readonly string[];
  readonly #pauses = new Map<string, Record<Trouble, Pause>>();
  #order: string[];
  #current: string;

  constructor(configured: readonly string[], random: () => number) {
    const [first, ...others] = shuffle([...configured], random);
    if (first === undefined) throw new RangeError('an etcd has at least one endpoint');
    this.#random = random;
    this.#configured = configured;
    this.#order = [first, ...others];
    this.#current = first;
  }

  /** The member in use, or the last that was. */
  get current(): string {
    return this.#current;
  }

  get all(): readonly string[] {
    return this.#order;
  }

  /** The member for the next call; `needsLeader` unless it is a serializable read. */
  choose(nowMs: number, needsLeader: boolean): Choice {
    const from = this.#order.indexOf(this.#current);
    const ready = this.#order
      .map((_, step) => this.#order[(from + step) % this.#order.length] as string)
      .find((endpoint) => this.#readyAt(endpoint, needsLeader) <= nowMs);
    if (ready === undefined) {
      const first = Math.min(...this.#order.map((endpoint) => this.#readyAt(endpoint, needsLeader)));
      return { waitMs: first - nowMs };
    }
    this.#current = ready;
    return { endpoint: ready };
  }

  /** Notes a failure. Calls that fail together count once: they tell of one trouble. */
  failed(endpoint: string, trouble: Trouble, nowMs: number): void {
    if (!this.#order.includes(endpoint)) return;
    const pause = this.#pausesOf(endpoint)[trouble];
    if (pause.untilMs > nowMs) return;
    pause.untilMs = nowMs + pause.backoff.next() * (0.5 + this.#random() / 2);
  }

  /** Notes an answer: of one that needed the leader, or of one that shows only that the member is there. */
  answered(endpoint: string, neededLeader: boolean): void {
    const pauses = this.#pauses.get(endpoint);
    if (pauses === undefined) return;
    clear(pauses.down);
    if (neededLeader) clear(pauses.leaderless);
  }

  /** Takes up what the members say of themselves. The configured endpoints stay, whatever they say. */
  learn(advertised: readonly string[]): void {
    const known = new Set([...this.#configured, ...advertised]);
    const kept = this.#order.filter((endpoint) => known.has(endpoint));
    this.#order = [...new Set([...kept, ...advertised])];
    if (!this.#order.includes(this.#current)) this.#current = this.#order[0] as string;
    for (const endpoint of this.#pauses.keys()) if (!known.has(endpoint)) this.#pauses.delete(endpoint);
  }

  #readyAt(endpoint: string, needsLeader: boolean): number {
    const pauses = this.#pauses.get(endpoint);
    if (pauses === undefined) return -Infinity;
    return needsLeader ? Math.max(pauses.down.untilMs, pauses.leaderless.untilMs) : pauses.down.untilMs;
  }

  #pausesOf(endpoint: string): Record<Trouble, Pause> {
    let pauses = this.#pauses.get(endpoint);
    if (pauses === undefined)
      this.#pauses.set(endpoint, (pauses = { down: startPause('down'), leaderless: startPause('leaderless') }));
    return pauses;
  }
}

function startPause(trouble: Trouble): Pause {
  return { backoff: new Backoff({ firstMs: FIRST_PAUSE_MS, mostMs: LONGEST_PAUSE_MS[trouble] }), untilMs: -Infinity };
}

function clear(pause: Pause): void {
  pause.backoff.reset();
  pause.untilMs = -Infinity;
}
