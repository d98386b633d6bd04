import { Resolver } from 'node:dns/promises';
import type { DroverProcess } from '../drover-process.ts';
import { until } from '../until.ts';
import type { Findings } from './invariants.ts';
import type { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';

export interface DnsClientsOptions {
  /** Those that are asked. */
  readonly processes: readonly DroverProcess[];
  readonly random: Seeded;
  readonly findings: Findings;
  /** Whether a process has run, unstopped, for at least so long. */
  readonly answers: (process: DroverProcess, forMs: number) => boolean;
  readonly name: string;
  readonly pauseMs: number;
}

const TIMEOUT_MS = 2_000;
/** A process that has just begun may still be reading. */
const WARM_MS = 2_000;
const PRIME_MS = 30_000;

/** Asks servers and agents for a service that always has a healthy instance (11). */
export class DnsClients {
  readonly #options: DnsClientsOptions;

  constructor(options: DnsClientsOptions) {
    this.#options = options;
  }

  /** Each of them has answered once: an agent that is cut off knows what it was asked before. */
  async prime(): Promise<void> {
    const answers = (asked: DroverProcess) => async (): Promise<boolean> => (await this.#resolve(asked))[0] > 0;
    for (const asked of this.#options.processes) {
      await until(answers(asked), PRIME_MS, () => `${asked.name} does not answer ${this.#options.name}`);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { processes, answers, random, pauseMs } = this.#options;
    while (!signal.aborted) {
      const asked = random.pick(processes);
      if (answers(asked, WARM_MS)) await this.#ask(asked);
      await sleep(random.below(pauseMs), signal);
    }
  }

  async #ask(asked: DroverProcess): Promise<void> {
    const { name, answers, findings } = this.#options;
    const begunAtMs = performance.now();
    const [found, code] = await this.#resolve(asked);
    // It may have been stopped or killed meanwhile.
    if (!answers(asked, performance.now() - begunAtMs + WARM_MS)) return;
    findings.expect(11, found > 0, () => `${asked.name} answers ${code || 'nothing'} to ${name}`);
  }

  /** How many addresses, or why none. */
  async #resolve(asked: DroverProcess): Promise<[found: number, code: string]> {
    const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
    resolver.setServers([`${asked.site.address}:${asked.dnsPort}`]);
    return resolver.resolve4(this.#options.name).then(
      (addresses): [number, string] => [addresses.length, ''],
      (error: NodeJS.ErrnoException): [number, string] => [0, error.code ?? error.message],
    );
  }
}
