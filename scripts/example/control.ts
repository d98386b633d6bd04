import { rmSync } from 'node:fs';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DroverClient } from '../../client/src/index.ts';
import { CONTROL_SOCKET, STAND_INS, type StandIn } from './layout.ts';
import { nameOf, type StandIns } from './stand-ins.ts';

const ARRIVAL_WAIT = '10s';
const DRAIN_MS = 5_000;
const REASON = 'stopped by npm run example';

/** What `npm run example` can ask for. */
export const ACTIONS = ['stop', 'start', 'crash'] as const;
export type Action = (typeof ACTIONS)[number];

/** Stops, starts and crashes stand-ins; a stop is graceful: out of DNS and balancers first, then ended. */
export class Control {
  readonly #standIns: StandIns;
  readonly #client: DroverClient;
  #server: net.Server | null = null;

  constructor(standIns: StandIns, client: DroverClient) {
    this.#standIns = standIns;
    this.#client = client;
  }

  /** Takes one line a connection: `stop api@api-1`. */
  async listen(): Promise<void> {
    rmSync(CONTROL_SOCKET, { force: true });
    const server = net.createServer((socket) => {
      socket.on('error', () => socket.destroy());
      createInterface({ input: socket }).once('line', (line) => {
        void this.#answer(line).then((text) => socket.end(`${text}\n`));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(CONTROL_SOCKET, resolve));
  }

  close(): void {
    this.#server?.close();
    rmSync(CONTROL_SOCKET, { force: true });
  }

  async #answer(line: string): Promise<string> {
    const [action = '', target = ''] = line.trim().split(/\s+/);
    try {
      const chosen = standInsOf(target);
      for (const standIn of chosen) await this.#act(action as Action, standIn);
      return `done: ${action} ${chosen.map(nameOf).join(', ')}`;
    } catch (error) {
      return `error: ${(error as Error).message}`;
    }
  }

  async #act(action: Action, standIn: StandIn): Promise<void> {
    if (action === 'crash') return this.#standIns.end(standIn, 'SIGKILL');
    if (action === 'start') {
      await this.#standIns.start(standIn);
      return this.#maintenance(standIn, false);
    }
    await this.#maintenance(standIn, true);
    return this.#standIns.end(standIn, 'SIGTERM');
  }

  /** Waits until every balancer and DNS knows, so that nothing is sent to a program that is about to end. */
  async #maintenance({ service, node }: StandIn, enable: boolean): Promise<void> {
    const { revision } = await this.#client.maintenance(enable, {
      node,
      service,
      ...(enable ? { reason: REASON } : {}),
    });
    if (!enable) return;
    await this.#client.converged(revision, { wait: ARRIVAL_WAIT });
    await this.#untilIdle(`${node}/${service}`);
  }

  /** Out of rotation is not yet done: what is in flight gets its answer first (semantics 7). */
  async #untilIdle(member: string): Promise<void> {
    const deadline = Date.now() + DRAIN_MS;
    while (Date.now() < deadline && (await this.#sessionsOf(member)) > 0) await sleep(50);
  }

  async #sessionsOf(member: string): Promise<number> {
    const { frontends } = await this.#client.balancer();
    const members = frontends.flatMap((frontend) => frontend.members as { key: string; sessions: number }[]);
    return members.find(({ key }) => key === member)?.sessions ?? 0;
  }
}

/** `api` is every api, `api@api-1` the one on that node. */
function standInsOf(target: string): readonly StandIn[] {
  const found = STAND_INS.filter((one) => one.service === target || nameOf(one) === target);
  if (found.length > 0) return found;
  throw new Error(`there is no "${target}"; there are ${STAND_INS.map(nameOf).join(', ')}`);
}
