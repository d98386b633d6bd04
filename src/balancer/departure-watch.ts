import type { Clock, Timer } from '../lib/index.ts';
import { stepDepartures } from './departures.ts';
import type { Departures, DepartureStep } from './departures.ts';
import type { HaproxyProcess } from './haproxy-process.ts';
import { sessionsOf } from './sessions.ts';
import type { RuntimeServer } from './servers-state.ts';

export interface DepartureWatchOptions {
  readonly haproxy: HaproxyProcess;
  readonly clock: Clock;
  /** How long what is in flight to a leaving member may last. */
  readonly capMs: number;
}

/** Stays with the servers that leave until they are deleted. */
export class DepartureWatch implements Disposable {
  readonly #options: DepartureWatchOptions;
  #departures: Departures = new Map();
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(options: DepartureWatchOptions) {
    this.#options = options;
  }

  /** Goes on from what the runtime shows now. */
  follow(servers: readonly RuntimeServer[]): void {
    const step = this.#step(servers);
    this.#timer?.cancel();
    this.#timer = null;
    if (step.nextMs === null || this.#isStopped) return;
    this.#timer = this.#options.clock.after(step.nextMs, () => void this.#look());
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { haproxy } = this.#options;
    try {
      const step = this.#step(await haproxy.runtime.servers());
      if (step.overdue.length > 0) await haproxy.endOldSessions(sessionsOf(step.overdue));
      this.follow(await haproxy.runtime.servers(step.commands));
    } catch {
      // HAProxy does not answer: the balancer's next comparison finds them still leaving and calls follow() again.
    }
  }

  #step(servers: readonly RuntimeServer[]): DepartureStep {
    const { clock, capMs } = this.#options;
    const step = stepDepartures(servers, this.#departures, { nowMs: clock.now(), capMs });
    this.#departures = step.departures;
    return step;
  }
}
