import type { Clock, Timer } from '../lib/index.ts';
import { UNFENCED, type Fence } from '../store/index.ts';
import type { AccessWrites } from './access-writes.ts';

export interface TokenExpiryOptions {
  readonly writes: Pick<AccessWrites, 'deleteExpired'>;
  /** Of the duty to do so; always unless told. */
  readonly fence?: Fence;
  readonly clock: Clock;
  readonly everyMs: number;
  /** Told of what failed; it is tried again the next time. */
  readonly report: (error: unknown) => void;
}

/** Deletes tokens whose time is over; they mean nothing from that moment on, whether they are gone yet or not. */
export class TokenExpiry implements AsyncDisposable {
  readonly #options: TokenExpiryOptions;
  #timer: Timer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  static start(options: TokenExpiryOptions): TokenExpiry {
    const expiry = new TokenExpiry(options);
    expiry.#schedule();
    return expiry;
  }

  private constructor(options: TokenExpiryOptions) {
    this.#options = options;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(): void {
    const { clock, everyMs, fence = UNFENCED, report, writes } = this.#options;
    if (this.#isClosed) return;
    this.#timer = clock.after(everyMs, () => {
      this.#running = writes
        .deleteExpired(fence)
        .catch(report)
        .then(() => this.#schedule());
    });
  }
}
