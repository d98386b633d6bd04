import type { Revision } from '../store/index.ts';
import { slowReader } from './errors.ts';
import type { Receipt } from './receipt.ts';

/** What happens to changes, for `/v2/events` and the live log. */
export type ChangeEvent =
  /** A revision was applied; `of` consumers are to take it up. */
  | {
      readonly type: 'change';
      readonly revision: Revision;
      readonly at: string;
      readonly summary: readonly string[];
      readonly author?: string;
      readonly of: number;
    }
  /** A consumer settled some changes, or said why not. */
  | { readonly type: 'receipt'; readonly receipt: Receipt; readonly settled: readonly SettledRevision[] }
  /** Everyone who is waited for has the change; sent once. */
  | { readonly type: 'arrived'; readonly revision: Revision; readonly of: number; readonly tookMs: number }
  /** Changes up to this revision are no longer remembered, so the reader has missed them. */
  | { readonly type: 'gap'; readonly after: Revision; readonly before: Revision };

export interface SettledRevision {
  readonly revision: Revision;
  readonly tookMs: number;
}

/** A reader that is behind by more is cut off; it connects again with the last revision it saw. */
const MAX_WAITING = 10_000;

/** Hands events to any number of readers, each at its own pace. */
export class EventStream {
  readonly #readers = new Set<Reader>();

  /** Whether somebody reads: what nobody would read need not be made. */
  get isRead(): boolean {
    return this.#readers.size > 0;
  }

  emit(event: ChangeEvent): void {
    for (const reader of this.#readers) reader.push(event);
  }

  /**
   * What there is in `first`, then everything from this call on, until the signal or `end`.
   *
   * @throws CHANGE_SLOW_READER while iterating, when too much waits
   */
  read(first: readonly ChangeEvent[], signal: AbortSignal): AsyncGenerator<ChangeEvent, void> {
    const reader = new Reader(first);
    const stop = (): void => {
      reader.end();
      this.#readers.delete(reader);
    };
    if (signal.aborted) reader.end();
    else this.#readers.add(reader);
    signal.addEventListener('abort', stop, { once: true });
    return drain(reader, () => {
      signal.removeEventListener('abort', stop);
      this.#readers.delete(reader);
    });
  }

  /** Ends every reader. */
  end(): void {
    for (const reader of this.#readers) reader.end();
  }
}

async function* drain(reader: Reader, done: () => void): AsyncGenerator<ChangeEvent, void> {
  try {
    for (let event = await reader.next(); event !== null; event = await reader.next()) yield event;
  } finally {
    done();
  }
}

class Reader {
  #waiting: ChangeEvent[];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(first: readonly ChangeEvent[]) {
    this.#waiting = [...first];
  }

  push(event: ChangeEvent): void {
    if (!this.#ended && this.#waiting.length <= MAX_WAITING) this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async next(): Promise<ChangeEvent | null> {
    while (!this.#ended) {
      if (this.#waiting.length > MAX_WAITING) throw slowReader(MAX_WAITING);
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return null;
  }
}
