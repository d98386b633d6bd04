import { Resolver } from 'node:dns/promises';
import type { DroverProcess } from '../drover-process.ts';
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

/** Asks servers and agents for a service that always has a healthy instance (11). */
export class DnsClients {
  readonly #options: DnsClientsOptions;

  constructor(options: DnsClientsOptions) {
    this.#options = options;
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
    const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
    resolver.setServers([`${asked.site.address}:${asked.dnsPort}`]);
    const begunAtMs = performance.now();
    const [found, code] = await resolver.resolve4(name).then(
      (addresses): [number, string] => [addresses.length, ''],
      (error: NodeJS.ErrnoException): [number, string] => [0, error.code ?? error.message],
    );
    // It may have been stopped or killed meanwhile.
    if (!answers(asked, performance.now() - begunAtMs + WARM_MS)) return;
    findings.expect(11, found > 0, () => `${asked.name} answers ${code || 'nothing'} to ${name}`);
  }
}
