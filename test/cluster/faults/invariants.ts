/** What holds whatever breaks (design 12), by number. */
export const INVARIANTS = {
  1: 'an acknowledged write is there at the end',
  2: 'revisions rise, and a transaction is seen whole or not at all',
  3: 'each key is linearizable, compare-and-swap included',
  4: 'a watch is complete, in order and without duplicates; what it gives is what the store holds',
  5: 'no blocked query sleeps past a change',
  6: 'who wrote reads the write, and reads with an index never go back',
  7: 'a session that is renewed does not expire; one that is not does, with its locks at once',
  8: 'what a deposed leader writes has no effect',
  9: 'two holders of a lock never both write',
  10: 'no instance of a living agent is taken away; a dead one leaves what is healthy in time',
  11: 'DNS answers, and never with nothing for a service that has a healthy instance',
  12: 'after healing all servers hold the same',
  13: 'the last provision starts after the last change, and never two at once',
} as const;

export type Invariant = keyof typeof INVARIANTS;

/** What was found against an invariant. */
export interface Finding {
  readonly invariant: Invariant;
  /** Since the run began. */
  readonly atMs: number;
  readonly text: string;
  /** What was broken at the time. */
  readonly during: readonly string[];
}

const MOST_FINDINGS = 200;

/** How often each invariant was looked at, and what was found. */
export class Findings {
  readonly #begunAtMs = performance.now();
  readonly #looked = new Map<Invariant, number>();
  readonly #found: Finding[] = [];
  readonly #during: () => readonly string[];

  constructor(during: () => readonly string[]) {
    this.#during = during;
  }

  /** ms since the run began. */
  get nowMs(): number {
    return Math.round(performance.now() - this.#begunAtMs);
  }

  get all(): readonly Finding[] {
    return this.#found;
  }

  count(invariant: Invariant): number {
    return this.#looked.get(invariant) ?? 0;
  }

  /** One look at an invariant; `holds` false is a finding, told by `text`. */
  expect(invariant: Invariant, holds: boolean, text: () => string): void {
    this.#looked.set(invariant, this.count(invariant) + 1);
    if (holds || this.#found.length >= MOST_FINDINGS) return;
    this.#found.push({ invariant, atMs: this.nowMs, text: text(), during: this.#during() });
  }
}
