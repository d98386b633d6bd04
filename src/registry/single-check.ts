import type { Check } from './catalog-reader.ts';

/** A map of one check, by its id: most instances have one, and a Map of its own costs more than the check. */
export class SingleCheck implements ReadonlyMap<string, Check> {
  readonly size = 1;
  readonly #check: Check;

  constructor(check: Check) {
    this.#check = check;
  }

  get(id: string): Check | undefined {
    return this.has(id) ? this.#check : undefined;
  }

  has(id: string): boolean {
    return this.#check.record.id === id;
  }

  forEach(act: (check: Check, id: string, map: ReadonlyMap<string, Check>) => void): void {
    act(this.#check, this.#check.record.id, this);
  }

  keys(): MapIterator<string> {
    return [this.#check.record.id].values();
  }

  values(): MapIterator<Check> {
    return [this.#check].values();
  }

  entries(): MapIterator<[string, Check]> {
    return [[this.#check.record.id, this.#check] as [string, Check]].values();
  }

  [Symbol.iterator](): MapIterator<[string, Check]> {
    return this.entries();
  }
}
