import type { Revision } from '../store/index.ts';
import type { Answer } from './answer.ts';

/** What an entry costs beside its body, roughly. */
const OVERHEAD_BYTES = 400;

/** The latest answer of each query, bounded in bytes; what was not asked for the longest goes first. */
export class AnswerCache {
  readonly #maxBytes: number;
  /** In order of last use. */
  readonly #answers = new Map<string, Answer>();
  /** The one that was used last: asked for again and again it stays where it is. */
  #last = '';
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The answer of a query if it was rendered at this index. */
  get(key: string, index: Revision): Answer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined || answer.index !== index) return undefined;
    if (key === this.#last) return answer;
    this.#last = key;
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    return answer;
  }

  set(key: string, answer: Answer): void {
    this.#remove(key);
    this.#answers.set(key, answer);
    this.#last = key;
    this.#bytes += costOf(key, answer);
    // Whoever looks for the first of a map walks over all that were deleted before it.
    if (this.#bytes <= this.#maxBytes) return;
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
  }

  /** Forgets every answer. */
  clear(): void {
    this.#answers.clear();
    this.#bytes = 0;
    this.#last = '';
  }

  get size(): number {
    return this.#answers.size;
  }

  #remove(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#answers.delete(key);
    this.#bytes -= costOf(key, answer);
  }
}

function costOf(key: string, answer: Answer): number {
  return OVERHEAD_BYTES + key.length * 2 + answer.body.byteLength;
}
