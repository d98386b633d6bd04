/** What a key holds; null when there is no such key. Histories give every write a value of its own. */
export type Held = string | null;

interface Timed {
  readonly client: string;
  readonly key: string;
  /** On one monotonic clock for all clients. */
  readonly startMs: number;
  /** Infinity for an operation whose outcome nobody knows: it may have been done at any time since, or never. */
  readonly endMs: number;
}

/** Saw `value`. */
export interface ReadOperation extends Timed {
  readonly kind: 'read';
  readonly value: Held;
}

/** Left `value`, whatever was there. */
export interface WriteOperation extends Timed {
  readonly kind: 'write';
  readonly value: Held;
}

/** Left `to` if `from` was there: `done` says whether; null when nobody knows. */
export interface SwapOperation extends Timed {
  readonly kind: 'swap';
  readonly from: Held;
  readonly to: Held;
  readonly done: boolean | null;
}

/** One operation on one key, as its client saw it. What surely was not done (refused) is not part of a history. */
export type Operation = ReadOperation | WriteOperation | SwapOperation;

/** A key whose operations fit no order. */
export interface Violation {
  readonly key: string;
  /** The operation that had to have happened by then and could not. */
  readonly stuck: Operation;
  /** The end of the longest order that was found. */
  readonly before: readonly Operation[];
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /** Keys whose search was given up: there were too many orders to look at. */
  readonly undecided: readonly string[];
  readonly operations: number;
  readonly keys: number;
}

/** Steps of the search for one key. */
const MOST_STEPS = 2_000_000;
const SHOWN = 6;

/**
 * Whether for each key there is one order of its operations that respects time and in which every operation gives what its client
 * saw (Herlihy and Wing 1990; the search is that of Wing and Gong with the memory of Lowe 2017).
 */
export function checkLinearizable(history: readonly Operation[], mostSteps: number = MOST_STEPS): Verdict {
  const byKey = Map.groupBy(history, ({ key }) => key);
  const violations: Violation[] = [];
  const undecided: string[] = [];
  for (const [key, operations] of byKey) {
    const found = searchOrder(operations, mostSteps);
    if (found === 'undecided') undecided.push(key);
    else if (found !== null) violations.push({ key, ...found });
  }
  return { violations, undecided, operations: history.length, keys: byKey.size };
}

/** Unknown writes whose values nobody saw are looked at only when there is no order without them: each doubles what is to be searched. */
function searchOrder(operations: readonly Operation[], mostSteps: number): Stuck | 'undecided' | null {
  const seen = new Set(operations.map(seenBy));
  const sure = operations.filter(
    (one) => one.endMs !== Infinity || one.kind === 'read' || seen.has(one.kind === 'write' ? one.value : one.to),
  );
  const found = new OrderSearch(sure, mostSteps).run();
  return found === null || sure.length === operations.length ? found : new OrderSearch(operations, mostSteps).run();
}

/** What a key holds after an operation; undefined when the operation cannot have happened there. */
export function applied(held: Held, operation: Operation): Held | undefined {
  if (operation.kind === 'read') return held === operation.value ? held : undefined;
  if (operation.kind === 'write') return operation.value;
  const fits = held === operation.from;
  if (operation.done !== null && operation.done !== fits) return undefined;
  return fits ? operation.to : held;
}

/** A beginning or an end of an operation, in a list by time from which operations that have their place are lifted. */
interface Moment {
  readonly index: number;
  /** Of a beginning that has an end. */
  end: Moment | null;
  readonly isBeginning: boolean;
  previous: Moment | null;
  next: Moment | null;
}

interface Placed {
  readonly moment: Moment;
  readonly held: Held;
}

type Stuck = Pick<Violation, 'stuck' | 'before'>;

/** The value that an operation surely saw; undefined for one that need not have seen any. */
function seenBy(operation: Operation): Held | undefined {
  if (operation.kind === 'read') return operation.value;
  return operation.kind === 'swap' && operation.done === true ? operation.from : undefined;
}

class OrderSearch {
  readonly #operations: readonly Operation[];
  /** How many operations without a place surely saw a value: every value was written once, so it must not go before them. */
  readonly #waiting = new Map<Held, number>();
  readonly #mostSteps: number;
  readonly #first: Moment;
  readonly #isPlaced: Uint8Array;
  readonly #placed: Placed[] = [];
  readonly #seen = new Set<string>();
  #endsLeft: number;
  #held: Held = null;
  #furthest: Stuck | null = null;
  #most = -1;

  constructor(operations: readonly Operation[], mostSteps: number) {
    this.#operations = operations.toSorted((a, b) => a.startMs - b.startMs);
    this.#mostSteps = mostSteps;
    this.#isPlaced = new Uint8Array(operations.length);
    this.#first = momentsOf(this.#operations);
    for (const operation of operations) this.#wait(seenBy(operation), 1);
    this.#endsLeft = operations.filter(({ endMs }) => endMs !== Infinity).length;
  }

  /** Null when there is an order. */
  run(): Stuck | 'undecided' | null {
    let moment = this.#first.next;
    for (let steps = 0; this.#endsLeft > 0 && moment !== null; steps++) {
      if (steps > this.#mostSteps) return 'undecided';
      if (moment.isBeginning) {
        moment = this.#place(moment) ? this.#first.next : moment.next;
        continue;
      }
      this.#remember(moment);
      const last = this.#placed.pop();
      if (last === undefined) return this.#furthest;
      this.#takeBack(last);
      moment = last.moment.next;
    }
    return null;
  }

  #place(moment: Moment): boolean {
    const operation = this.#operations[moment.index] as Operation;
    const after = applied(this.#held, operation);
    if (after === undefined || (after !== this.#held && this.#isAwaited(operation))) return false;
    // Nothing asks that it was done, and doing it changed nothing: it may as well have been done at the end.
    if (after === this.#held && operation.endMs === Infinity) return false;
    this.#isPlaced[moment.index] = 1;
    const situation = this.#situation(after);
    if (this.#seen.has(situation)) {
      this.#isPlaced[moment.index] = 0;
      return false;
    }
    this.#seen.add(situation);
    this.#placed.push({ moment, held: this.#held });
    this.#held = after;
    this.#wait(seenBy(operation), -1);
    unlink(moment);
    if (moment.end !== null) {
      unlink(moment.end);
      this.#endsLeft--;
    }
    return true;
  }

  #takeBack({ moment, held }: Placed): void {
    this.#held = held;
    this.#isPlaced[moment.index] = 0;
    this.#wait(seenBy(this.#operations[moment.index] as Operation), 1);
    if (moment.end !== null) {
      link(moment.end);
      this.#endsLeft++;
    }
    link(moment);
  }

  #wait(value: Held | undefined, change: 1 | -1): void {
    if (value !== undefined) this.#waiting.set(value, (this.#waiting.get(value) ?? 0) + change);
  }

  /** Whether another operation than this one still has to see what is held now. A key can be away more than once. */
  #isAwaited(operation: Operation): boolean {
    const own = seenBy(operation) === this.#held ? 1 : 0;
    return this.#held !== null && (this.#waiting.get(this.#held) ?? 0) > own;
  }

  /** What is held and which operations have their place: all before the first that has none, and some after it. */
  #situation(held: Held): string {
    const first = this.#isPlaced.indexOf(0);
    const after: number[] = [];
    for (let at = this.#isPlaced.lastIndexOf(1); at > first && first >= 0; at--)
      if (this.#isPlaced[at] === 1) after.push(at);
    return `${first} ${after.join(' ')} ${held ?? '/'}`;
  }

  #remember(moment: Moment): void {
    if (this.#placed.length <= this.#most) return;
    this.#most = this.#placed.length;
    const before = this.#placed.slice(-SHOWN).map((placed) => this.#operations[placed.moment.index] as Operation);
    this.#furthest = { stuck: this.#operations[moment.index] as Operation, before };
  }
}

/** The list of beginnings and ends, by time, behind a moment that is none. At one time beginnings come first: those overlap. */
function momentsOf(operations: readonly Operation[]): Moment {
  const moments = operations.flatMap(({ startMs, endMs }, index) => {
    const isOpen = endMs === Infinity;
    const end: Moment | null = isOpen ? null : { index, end: null, isBeginning: false, previous: null, next: null };
    const beginning: Moment = { index, end, isBeginning: true, previous: null, next: null };
    return [{ moment: beginning, atMs: startMs }, ...(end === null ? [] : [{ moment: end, atMs: endMs }])];
  });
  moments.sort((a, b) => a.atMs - b.atMs || Number(b.moment.isBeginning) - Number(a.moment.isBeginning));
  const first: Moment = { index: -1, end: null, isBeginning: true, previous: null, next: null };
  let last = first;
  for (const { moment } of moments) {
    last.next = moment;
    moment.previous = last;
    last = moment;
  }
  return first;
}

function unlink({ previous, next }: Moment): void {
  if (previous !== null) previous.next = next;
  if (next !== null) next.previous = previous;
}

/** Undoes `unlink`, in the reverse order of those. */
function link(moment: Moment): void {
  if (moment.previous !== null) moment.previous.next = moment;
  if (moment.next !== null) moment.next.previous = moment;
}
