/** What a tape holds: cheap to clone between threads, unlike objects. */
export type Cell = string | number;

/** Reads cells one after another, in the order in which the other thread wrote them. */
export class Tape {
  readonly #cells: readonly Cell[];
  #at = 0;

  constructor(cells: readonly Cell[]) {
    this.#cells = cells;
  }

  get ended(): boolean {
    return this.#at >= this.#cells.length;
  }

  number(): number {
    return this.#cells[this.#at++] as number;
  }

  text(): string {
    return this.#cells[this.#at++] as string;
  }
}
