import type { Clock } from '../lib/index.ts';
import type { BalancerView } from '../registry/index.ts';
import { backendName } from './names.ts';
import { NOTHING_OBSERVED, observe, restingMembers } from './observation.ts';
import type { Observation } from './observation.ts';
import type { RuntimeClient } from './runtime.ts';
import { parseStatistics, SHOW_STATISTICS } from './statistics.ts';

/** Reads HAProxy's counters now and then, and keeps who rests because of them. */
export class TrafficObserver {
  readonly #runtime: RuntimeClient;
  readonly #clock: Clock;
  #observation: Observation = NOTHING_OBSERVED;
  #known = '';

  constructor(options: { readonly runtime: RuntimeClient; readonly clock: Clock }) {
    this.#runtime = options.runtime;
    this.#clock = options.clock;
  }

  /** The members that get no traffic for now, by `memberName`. */
  resting(): ReadonlySet<string> {
    return restingMembers(this.#observation, this.#clock.now());
  }

  /** Looks once; the members that rest when they are others than at the last look, else null. */
  async look(view: BalancerView | null): Promise<ReadonlySet<string> | null> {
    const rows = parseStatistics(await this.#runtime.call(SHOW_STATISTICS).catch(() => ''));
    const options = { nowMs: this.#clock.now(), sizes: sizesOf(view) };
    if (rows.length > 0) this.#observation = observe(this.#observation, rows, options);
    const resting = this.resting();
    const known = [...resting].join('\n');
    if (known === this.#known) return null;
    this.#known = known;
    return resting;
  }
}

function sizesOf(view: BalancerView | null): Map<string, number> {
  const frontends = view?.frontends ?? [];
  return new Map(
    frontends.map(({ service, members }) => [
      backendName(service),
      members.filter((member) => !member.draining && member.weight > 0).length,
    ]),
  );
}
