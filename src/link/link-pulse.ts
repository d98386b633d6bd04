import type { Clock, Timer, Timing } from '../lib/index.ts';

/** A connection as the pulse sees it. */
export interface Beating {
  /** Bytes that came so far: anything that came is a sign of life. */
  readonly bytesRead: number;
  /** Bytes that were sent so far: anything that is sent is a sign of life. */
  readonly bytesSent: number;
  /** Sends a sign of life. */
  beat(): void;
  /** Nothing came for longer than it should take: it may be gone. Told once in each silence. */
  quiet?(forMs: number): void;
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
  isQuiet: boolean;
  bytesSent: number;
  /** Monotonic ms since when nothing was sent, at the latest. */
  saidAtMs: number;
}

/** When is looked, and when was before. Monotonic. */
interface Look {
  readonly nowMs: number;
  readonly beforeMs: number;
  /** Between two looks, when the process does not stand still. */
  readonly everyMs: number;
}

/** So often within a heartbeat is looked at what came: a silence is noticed that much sooner. */
const LOOKS = 2;
/** So many signs of life come within the longest silence: one may be late. More would cost a server of a thousand nodes most of a core's percent each. */
const BEATS = 2;
/** After this part of the longest silence a sign of life is late: there is time to look into it before the silence is over. */
const QUIET = 2 / 3;
/** So many connections are looked at in one turn of the event loop. */
const AT_ONCE = 256;

/**
 * Signs of life for all links of a process, with one timer: each end says that it is there, twice in the longest silence, unless it has said
 * something else since, and judges the other by what it hears, so that a connection of which one half is gone is noticed by both.
 */
export class LinkPulse implements Disposable {
  readonly #clock: Clock;
  readonly #lookEveryMs: number;
  readonly #beatEveryMs: number;
  readonly #silenceMs: number;
  readonly #watched = new Map<Beating, Watched>();
  /** The same in a row, made when one came or went: it is looked at all the time. */
  #row: readonly (readonly [Beating, Watched])[] | null = null;
  #timer: Timer | null = null;
  #lookedAtMs = 0;

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
    const { bytesRead, bytesSent } = one;
    this.#watched.set(one, { bytesRead, heardAtMs: nowMs, isQuiet: false, bytesSent, saidAtMs: nowMs });
    this.#row = null;
    if (this.#timer !== null) return;
    this.#lookedAtMs = nowMs;
    this.#arm();
  }

  remove(one: Beating): void {
    this.#watched.delete(one);
    this.#row = null;
    if (this.#watched.size === 0) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#lookEveryMs, () => {
      const nowMs = this.#clock.now();
      const look: Look = { nowMs, beforeMs: this.#lookedAtMs, everyMs: this.#lookEveryMs };
      this.#lookedAtMs = nowMs;
      this.#arm();
      void this.#look((this.#row ??= [...this.#watched]), look);
    });
  }

  async #look(all: readonly (readonly [Beating, Watched])[], look: Look): Promise<void> {
    let index = 0;
    for (const [one, watched] of all) {
      if (index > 0 && index % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
      index++;
      if (!this.#watched.has(one)) continue;
      const silentMs = silenceOf(one, watched, look);
      if (silentMs >= this.#silenceMs) {
        one.silent(silentMs);
        continue;
      }
      if (silentMs >= this.#silenceMs * QUIET && !watched.isQuiet) {
        watched.isQuiet = true;
        one.quiet?.(silentMs);
      }
      if (this.#isToSpeak(one, watched, look)) this.#beat(one, watched, look);
    }
  }

  /** What was sent since the last look may have been sent right after it. */
  #isToSpeak({ bytesSent }: Beating, watched: Watched, { nowMs, beforeMs }: Look): boolean {
    if (bytesSent !== watched.bytesSent) {
      watched.bytesSent = bytesSent;
      watched.saidAtMs = Math.max(watched.saidAtMs, beforeMs);
    }
    // Timers are early by less than a millisecond at times.
    return nowMs - watched.saidAtMs >= this.#beatEveryMs - 1;
  }

  #beat(one: Beating, watched: Watched, { nowMs }: Look): void {
    one.beat();
    watched.bytesSent = one.bytesSent;
    watched.saidAtMs = nowMs;
  }
}

/** How long nothing came, as far as was looked. */
function silenceOf({ bytesRead }: Beating, watched: Watched, { nowMs, beforeMs, everyMs }: Look): number {
  // What was not read while this process itself stood still is no silence of the others.
  if (bytesRead === watched.bytesRead) watched.heardAtMs += Math.max(0, nowMs - beforeMs - everyMs);
  else {
    watched.bytesRead = bytesRead;
    watched.heardAtMs = nowMs;
    watched.isQuiet = false;
  }
  return nowMs - watched.heardAtMs;
}
