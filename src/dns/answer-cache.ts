import { TYPE } from '../message/index.ts';
import type { Rendered } from './render.ts';

/** Orders of one answer that are kept: as many as it has records, so that all get their turn, within these bounds. */
const FEWEST_VARIANTS = 8;
const MOST_VARIANTS = 64;
const VARIANTS_OCTETS = 64 << 10;
/** How often a variant goes out before a new order is drawn in its place. */
const USES = 32;
const TYPES: ReadonlyMap<number, number> = new Map(
  [TYPE.A, TYPE.AAAA, TYPE.SRV, TYPE.TXT, TYPE.ANY].map((type, slot) => [type, slot]),
);
/** What a variant costs beside its bytes, and what a record costs from which variants are drawn. */
const OVERHEAD_OCTETS = 300;
const RECORD_OCTETS = 500;

/** Prebuilt answers to one question for one way of sending: a ring of orders, drawn anew as they wear out. */
export class Variants {
  readonly #render: () => Rendered;
  readonly #ring: Rendered[];
  readonly #size: number;
  readonly #records: number;
  #next = 0;
  #uses = 0;

  /** `first` is one drawing already; `records` of how many an order is drawn, 1 when there is nothing to draw. */
  constructor(render: () => Rendered, first: Rendered, records: number) {
    this.#render = render;
    this.#ring = [first];
    this.#size = records > 1 ? ringSize(records, first.body.length) : 1;
    this.#records = records;
  }

  /** Octets of all variants, about. */
  get octets(): number {
    return this.#size * ((this.#ring[0] as Rendered).body.length + OVERHEAD_OCTETS) + this.#records * RECORD_OCTETS;
  }

  next(): Rendered {
    const ring = this.#ring;
    if (this.#size === 1) return ring[0] as Rendered;
    const index = this.#next;
    this.#next = (index + 1) % this.#size;
    if (index === 0) this.#uses++;
    const isWorn = this.#uses > USES && (this.#uses - index) % USES === 0;
    const known = isWorn ? undefined : ring[index];
    return known ?? (ring[index] = this.#render());
  }
}

function ringSize(records: number, octets: number): number {
  const room = Math.floor(VARIANTS_OCTETS / Math.max(1, octets));
  return Math.max(FEWEST_VARIANTS, Math.min(records, MOST_VARIANTS, room));
}

/** Prebuilt answers of one name: by type, then by way of sending. */
export class NameAnswers {
  readonly labels: readonly string[];
  readonly #slots: (Map<number, Variants> | undefined)[] = [];

  constructor(labels: readonly string[]) {
    this.labels = labels;
  }

  get(type: number, way: number): Variants | undefined {
    const slot = TYPES.get(type);
    return slot === undefined ? undefined : this.#slots[slot]?.get(way);
  }

  set(type: number, way: number, variants: Variants): void {
    const slot = TYPES.get(type) as number;
    (this.#slots[slot] ??= new Map()).set(way, variants);
  }
}

export const isCachedType = (type: number): boolean => TYPES.has(type);

/** All prebuilt answers, by name in wire form, dropped as soon as something they were made from changes. */
export class AnswerCache {
  readonly #names = new Map<string, NameAnswers>();
  readonly #byDependency = new Map<string, Set<string>>();
  readonly #mostOctets: number;
  #octets = 0;

  /** Begins anew after `mostOctets` of answers were put in, dropped ones included: this bounds all that is kept. */
  constructor(mostOctets: number) {
    this.#mostOctets = mostOctets;
  }

  get(name: string): NameAnswers | undefined {
    return this.#names.get(name);
  }

  /** How many names are kept. */
  get size(): number {
    return this.#names.size;
  }

  put(name: string, answers: NameAnswers, dependsOn: readonly string[], octets: number): void {
    if (this.#octets > this.#mostOctets) this.clear();
    this.#octets += octets;
    this.#names.set(name, answers);
    for (const dependency of dependsOn) {
      const names = this.#byDependency.get(dependency);
      if (names === undefined) this.#byDependency.set(dependency, new Set([name]));
      else names.add(name);
    }
  }

  /** Drops every answer that was made from `dependency`. */
  drop(dependency: string): void {
    const names = this.#byDependency.get(dependency);
    if (names === undefined) return;
    this.#byDependency.delete(dependency);
    for (const name of names) this.#names.delete(name);
  }

  clear(): void {
    this.#names.clear();
    this.#byDependency.clear();
    this.#octets = 0;
  }
}
