import type { NamePointer } from '../message/index.ts';
import { MAX_POINTER } from '../message/index.ts';

/** Up to this many answers are put in order anew for each query; of more, some orders are kept ready. */
const MOST_RECORDS = 32;

/** Answer records that can be moved about within their body, and what must be mended then. */
export interface Movable {
  /** Where each record of ANSWER starts in the body, and where the last one ends. */
  readonly starts: readonly number[];
  /** Of each record; null when all are the same. */
  readonly weights: readonly number[] | null;
  /** Pointers behind ANSWER into one of its records: where in the body they stand, which record, how far into it. */
  readonly pointers: readonly { readonly at: number; readonly record: number; readonly offset: number }[];
}

/**
 * The records of a body as {@link Movable}, or null when they must stay in order: too many, a pointer from one to another,
 * or too far out for pointers to follow them. `questionEnd` is where the body begins in the message.
 */
export function movable(
  starts: readonly number[],
  weights: readonly number[] | null,
  written: readonly NamePointer[],
  questionEnd: number,
): Movable | null {
  const end = starts.at(-1) ?? 0;
  if (starts.length < 3 || starts.length > MOST_RECORDS + 1 || questionEnd + end > MAX_POINTER) return null;
  const pointers: { at: number; record: number; offset: number }[] = [];
  for (const pointer of written) {
    const [at, to] = [pointer.at - questionEnd, pointer.to - questionEnd];
    if (to < 0 || to >= end) continue;
    if (at < end) return null;
    const record = starts.findLastIndex((start) => start <= to);
    pointers.push({ at, record, offset: to - (starts[record] as number) });
  }
  return { starts, weights: weights?.every((weight) => weight === weights[0]) === true ? null : weights, pointers };
}

/** Copies bodies with their answers in a new order each time, without allocating anything. */
export class Dealer {
  readonly #random: () => number;
  readonly #order = new Uint8Array(MOST_RECORDS);
  readonly #moved = new Uint32Array(MOST_RECORDS);

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Copies `body` to `out` from `at` on, where the question ends. */
  deal(out: Uint8Array, at: number, body: Uint8Array, { starts, weights, pointers }: Movable): void {
    const count = starts.length - 1;
    this.#draw(count, weights);
    let to = at;
    for (let index = 0; index < count; index++) {
      const record = this.#order[index] as number;
      this.#moved[record] = to;
      const end = starts[record + 1] as number;
      for (let from = starts[record] as number; from < end;) out[to++] = body[from++] as number;
    }
    for (let from = starts[count] as number; from < body.length;) out[to++] = body[from++] as number;
    for (const pointer of pointers) {
      const target = (this.#moved[pointer.record] as number) + pointer.offset;
      out[at + pointer.at] = 0xc0 | (target >> 8);
      out[at + pointer.at + 1] = target & 0xff;
    }
  }

  /** Draws an order: each place goes to one of those left, with a chance in proportion to its weight (RFC 2782). */
  #draw(count: number, weights: readonly number[] | null): void {
    const order = this.#order;
    for (let index = 0; index < count; index++) order[index] = index;
    let left = 0;
    if (weights !== null) for (const weight of weights) left += weight;
    for (let place = 0; place < count - 1; place++) {
      const chosen =
        weights === null
          ? place + Math.floor(this.#random() * (count - place))
          : this.#pick(place, count, weights, left);
      const record = order[chosen] as number;
      order[chosen] = order[place] as number;
      order[place] = record;
      left -= weights?.[record] ?? 0;
    }
  }

  #pick(place: number, count: number, weights: readonly number[], left: number): number {
    let rest = this.#random() * left;
    for (let index = place; index < count - 1; index++) {
      rest -= weights[this.#order[index] as number] as number;
      if (rest < 0) return index;
    }
    return count - 1;
  }
}
