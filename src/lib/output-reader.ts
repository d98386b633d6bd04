import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Timer } from './clock.ts';
import { OutputTail } from './output-tail.ts';

/** A child that writes faster than 16 MB/s is made to wait: draining a flood must not take the whole processor. */
const WINDOW_BYTES = 512 * 1024;
const WINDOW_MS = 32;
/** After the child ended, its output is over once nothing came for this long… */
const QUIET_MS = 50;
/** …or after this long, whoever else still writes. */
const AT_MOST_MS = 500;

/** Reads a child's output to its end at a bounded rate, keeping only the tail. */
export class OutputReader {
  readonly tail: OutputTail;
  readonly #streams: readonly Readable[];
  readonly #clock: Clock;
  readonly #ended: Promise<unknown>;
  #window = 0;
  #pause: Timer | null = null;

  constructor(streams: readonly Readable[], options: { limit: number; clock: Clock }) {
    this.tail = new OutputTail(options.limit);
    this.#streams = streams;
    this.#clock = options.clock;
    for (const stream of streams) stream.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#ended = Promise.all(streams.map((stream) => closed(stream)));
  }

  /** Resolves when the output is over; a daemon that inherited it and holds it open is not waited for. */
  async finish(): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#ended, this.#quiet(over.signal)]);
    over.abort();
    this.close();
    await this.#ended;
  }

  close(): void {
    this.#pause?.cancel();
    for (const stream of this.#streams) stream.destroy();
  }

  #take(chunk: Buffer): void {
    this.tail.push(chunk);
    this.#window += chunk.length;
    if (this.#window < WINDOW_BYTES || this.#pause !== null) return;
    for (const stream of this.#streams) stream.pause();
    this.#pause = this.#clock.after(WINDOW_MS, () => this.#resume());
  }

  #resume(): void {
    this.#pause = null;
    this.#window = 0;
    for (const stream of this.#streams) stream.resume();
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    const start = this.#clock.now();
    while (this.#clock.now() - start < AT_MOST_MS) {
      const seen = this.tail.totalBytes;
      await this.#clock.sleep(QUIET_MS, signal).catch(() => {});
      // Timers run before reads: what came while the process itself was held up is read first.
      await nextTurn();
      if (signal.aborted || this.tail.totalBytes === seen) return;
    }
  }
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    // An error of reading (EIO, ECONNRESET) ends the output as its end does.
    stream.on('error', () => {});
    stream.on('close', resolve);
  });
}
