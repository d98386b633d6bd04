/** Changes on top of a map that stays as it is: what is not changed is looked up below, so a change costs nothing of the rest. */
export class Overlay<V> {
  readonly #below: (key: string) => V | undefined;
  readonly #changes = new Map<string, V | undefined>();

  constructor(below: (key: string) => V | undefined) {
    this.#below = below;
  }

  get(key: string): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#below(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: V): void {
    this.#changes.set(key, value);
  }

  delete(key: string): void {
    this.#changes.set(key, undefined);
  }

  /** Keys that were set or deleted, with what they are now; undefined = deleted. Some may be as they were. */
  get changes(): ReadonlyMap<string, V | undefined> {
    return this.#changes;
  }
}
