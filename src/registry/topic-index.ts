import type { Revision } from '../store/index.ts';

/**
 * The highest revision of each topic. Every deletion puts the tombstones of the topics it changes, so the highest
 * revision seen is also the highest one stored: folding the stored state again gives the same numbers.
 */
export class TopicIndex {
  readonly #revisions = new Map<string, Revision>();
  #floor: Revision = 1;

  /** 1 for what never was; never below the floor that reaped tombstones left. */
  index(topic: string): Revision {
    return Math.max(this.#revisions.get(topic) ?? 1, this.#floor);
  }

  /** Of what the topic itself holds, without the floor; 0 for nothing. */
  own(topic: string): Revision {
    return this.#revisions.get(topic) ?? 0;
  }

  touch(topic: string, revision: Revision): void {
    if ((this.#revisions.get(topic) ?? 0) < revision) this.#revisions.set(topic, revision);
  }

  raiseFloor(revision: Revision): void {
    this.#floor = Math.max(this.#floor, revision);
  }

  /** Forgets a topic that holds nothing any more and whose tombstone was reaped below the floor. */
  forget(topic: string): void {
    this.#revisions.delete(topic);
  }

  clear(): void {
    this.#revisions.clear();
    this.#floor = 1;
  }

  /** How many topics are remembered. */
  get size(): number {
    return this.#revisions.size;
  }
}
