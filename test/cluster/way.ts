import type { Socket } from 'node:net';

/** How a direction of a connection is at the moment. */
export interface WayState {
  readonly held: boolean;
  readonly delayMs: number;
}

/** One direction of a connection: takes what one socket gets to the other, in order; or holds it, the end of it included. */
export class Way {
  readonly #from: Socket;
  readonly #to: Socket;
  #held = false;
  #delayMs = 0;
  #full = false;
  /** When what was read last is due; nothing overtakes it. */
  #lastDueAt = 0;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on('data', (chunk: Buffer) => this.#later(() => this.#write(chunk)));
    from.on('end', () => this.#later(() => to.end()));
    to.on('drain', () => {
      this.#full = false;
      this.#flow();
    });
    this.#flow();
  }

  set({ held, delayMs }: WayState): void {
    this.#held = held;
    this.#delayMs = delayMs;
    this.#flow();
  }

  /** A socket that is not read is told nothing: its end, and its being torn, are held as well. */
  #flow(): void {
    if (this.#held || this.#full) this.#from.pause();
    else this.#from.resume();
  }

  #write(chunk: Buffer): void {
    if (this.#to.writable && !this.#to.write(chunk)) {
      this.#full = true;
      this.#flow();
    }
  }

  #later(act: () => void): void {
    const now = performance.now();
    const dueAt = Math.max(now + this.#delayMs, this.#lastDueAt);
    if (dueAt <= now) return act();
    this.#lastDueAt = dueAt;
    setTimeout(act, dueAt - now);
  }
}
