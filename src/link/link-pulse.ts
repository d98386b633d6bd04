import type { Clock, Timer, Timing } from '../lib/index.ts';

/** A connection as the pulse sees it. */
export interface Beating {
  /** Bytes that came so far: anything that came is a sign of life. */
  readonly bytesRead: number;
  /** Sends a sign of life, unless something else was sent since the last one. */
  beat(): void;
  /** Nothing came for so long. */
  silent(forMs: number): void;
}

export interface LinkPulseOptions {
  readonly clock: Clock;
  readonly timing: Pick<Timing, 'heartbeatMs' | 'suspectedAfterMs'>;
}

interface Watched {
  bytesRead: number;
  /** Monotonic ms when it was last seen to have read something. */
  heardAtMs: number;
}

/** So often within a heartbeat is looked at what came: a silence is noticed that much sooner. */
const LOOKS = 2;
/** So many signs of life come within the longest silence: one may be late. More would cost a server of a thousand nodes a core's percent each. */
const BEATS = 2;
/** So many connections are looked at in one turn of the event loop. */
const AT_ONCE = 256;

/**
 * Signs of life for all links of a process, with one timer: each end says that it is there, twice in the longest silence, and judges the other
 * by what it hears, so that a connection of which one half is gone is noticed by both.
 */
export class LinkPulse implements Disposable {
  readonly #clock: Clock;
  readonly #lookEveryMs: number;
  readonly #beatEveryMs: number;
  readonly #silenceMs: number;
  readonly #watched = new Map<Beating, Watched>();
  #timer: Timer | null = null;
  #lookedAtMs = 0;
  #beatAtMs = 0;

  constructor({ clock, timing }: LinkPulseOptions) {
    this.#clock = clock;
    this.#lookEveryMs = timing.heartbeatMs / LOOKS;
    this.#silenceMs = timing.suspectedAfterMs;
    this.#beatEveryMs = timing.suspectedAfterMs / BEATS;
  }

  /** How long a connection may be silent, in ms. */
  get silenceMs(): number {
    return this.#silenceMs;
  }

  add(one: Beating): void {
    const nowMs = this.#clock.now();
    this.#watched.set(one, { bytesRead: one.bytesRead, heardAtMs: nowMs });
    if (this.#timer !== null) return;
    this.#lookedAtMs = nowMs;
    this.#beatAtMs = nowMs;
    this.#arm();
  }

  remove(one: Beating): void {
    this.#watched.delete(one);
    if (this.#watched.size === 0) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#lookEveryMs, () => {
      const nowMs = this.#clock.now();
      // What was not read while this process itself stood still is no silence of the others.
      const stoodStillMs = Math.max(0, nowMs - this.#lookedAtMs - this.#lookEveryMs);
      this.#lookedAtMs = nowMs;
      this.#arm();
      void this.#look([...this.#watched], nowMs, stoodStillMs, this.#isBeat(nowMs));
    });
  }

  /** Timers are early by less than a millisecond at times. */
  #isBeat(nowMs: number): boolean {
    if (nowMs - this.#beatAtMs < this.#beatEveryMs - 1) return false;
    this.#beatAtMs = nowMs;
    return true;
  }

  async #look(
    all: readonly (readonly [Beating, Watched])[],
    nowMs: number,
    forgivenMs: number,
    isBeat: boolean,
  ): Promise<void> {
    for (const [index, [one, watched]] of all.entries()) {
      if (index > 0 && index % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
      if (!this.#watched.has(one)) continue;
      const silentMs = silenceOf(one, watched, nowMs, forgivenMs);
      if (silentMs >= this.#silenceMs) one.silent(silentMs);
      else if (isBeat) one.beat();
    }
  }
}

/** How long nothing came, as far as was looked. */
function silenceOf({ bytesRead }: Beating, watched: Watched, nowMs: number, forgivenMs: number): number {
  if (bytesRead === watched.bytesRead) watched.heardAtMs += forgivenMs;
  else {
    watched.bytesRead = bytesRead;
    watched.heardAtMs = nowMs;
  }
  return nowMs - watched.heardAtMs;
}
