import path from 'node:path';
import { type Ask, HandedOver, handlerRunner, NodeHandlers, type RunHandler, RunTally } from '../event/index.ts';
import type { Clock } from '../lib/index.ts';
import type { NodeConfig } from './config/config.ts';
import type { Log } from './log.ts';

export interface AgentHandlersOptions {
  readonly dataDirectory: string;
  /** How the agent's own API is asked with a token; null is the agent's default one. */
  readonly ask: (token: string | null) => Ask;
  /** Where its HTTP answers, for scripts. */
  readonly address: string;
  /** What scripts see of the agent's environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Watches and reactions of all the nodes of an agent. They ask its own API, so they start after it and stop before it. */
export class AgentHandlers implements AsyncDisposable {
  readonly #options: AgentHandlersOptions;
  readonly #handedOver: HandedOver;
  readonly #tally: RunTally;
  readonly #runHandler: RunHandler;
  readonly #nodes = new Map<string, NodeHandlers>();

  private constructor(options: AgentHandlersOptions, handedOver: HandedOver) {
    const { environment, clock, log, address } = options;
    this.#options = options;
    this.#handedOver = handedOver;
    this.#tally = new RunTally({ clock, log });
    // Where a script finds the agent that runs it.
    const addresses = { DROVER_HTTP_ADDR: address, CONSUL_HTTP_ADDR: address };
    this.#runHandler = handlerRunner({ environment: { ...environment, ...addresses }, clock });
  }

  /** Nobody's yet; `apply` says whose. */
  static async start(options: AgentHandlersOptions): Promise<AgentHandlers> {
    const { dataDirectory, clock, log } = options;
    const file = path.join(dataDirectory, 'watches.json');
    return new AgentHandlers(options, await HandedOver.open({ file, clock, warn: (text) => log.warn({}, text) }));
  }

  /** Takes up what the nodes' configurations say; nodes that are not there any more have none. */
  async apply(nodes: readonly Pick<NodeConfig, 'name' | 'watches' | 'reactions'>[]): Promise<void> {
    const names = new Set(nodes.map(({ name }) => name));
    for (const [name, handlers] of this.#nodes) {
      if (names.has(name)) continue;
      this.#nodes.delete(name);
      await handlers[Symbol.asyncDispose]();
    }
    this.#handedOver.keepNodes(names);
    await Promise.all(nodes.map((config) => this.#of(config.name).apply(config)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const nodes = [...this.#nodes.values()];
    this.#nodes.clear();
    await Promise.all(nodes.map((one) => one[Symbol.asyncDispose]()));
    await this.#handedOver.settled();
    this.#tally[Symbol.dispose]();
  }

  #of(name: string): NodeHandlers {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const { dataDirectory, ask, clock, log } = this.#options;
    const handlers = new NodeHandlers({
      node: name,
      stateDirectory: path.join(dataDirectory, 'nodes', encodeURIComponent(name)),
      handedOver: this.#handedOver,
      tally: this.#tally,
      ask,
      runHandler: this.#runHandler,
      clock,
      log,
    });
    this.#nodes.set(name, handlers);
    return handlers;
  }
}
