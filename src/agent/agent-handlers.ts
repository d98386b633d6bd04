import path from 'node:path';
import { type Ask, handlerRunner, httpAsk, NodeHandlers } from '../event/index.ts';
import type { Clock } from '../lib/index.ts';
import type { NodeConfig } from './config/config.ts';
import type { Log } from './log.ts';

export interface AgentHandlersOptions {
  readonly dataDirectory: string;
  /** Where the agent's own HTTP answers. */
  readonly address: () => string;
  /** What scripts see of the agent's environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Watches and reactions of all the nodes of an agent. They ask its own HTTP, so they start after it and stop before it. */
export class AgentHandlers implements AsyncDisposable {
  readonly #options: AgentHandlersOptions;
  readonly #nodes = new Map<string, NodeHandlers>();
  readonly #asks = new Map<string | null, Ask & Disposable>();

  constructor(options: AgentHandlersOptions) {
    this.#options = options;
  }

  /** Takes up what the nodes' configurations say; nodes that are not there any more have none. */
  async apply(nodes: readonly Pick<NodeConfig, 'name' | 'watches' | 'reactions'>[]): Promise<void> {
    const names = new Set(nodes.map(({ name }) => name));
    for (const [name, handlers] of this.#nodes) {
      if (names.has(name)) continue;
      this.#nodes.delete(name);
      await handlers[Symbol.asyncDispose]();
    }
    await Promise.all(nodes.map((config) => this.#of(config.name).apply(config)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const nodes = [...this.#nodes.values()];
    this.#nodes.clear();
    await Promise.all(nodes.map((one) => one[Symbol.asyncDispose]()));
    for (const ask of this.#asks.values()) ask[Symbol.dispose]();
    this.#asks.clear();
  }

  #of(name: string): NodeHandlers {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const { dataDirectory, environment, clock, log, address } = this.#options;
    const handlers = new NodeHandlers({
      node: name,
      stateDirectory: path.join(dataDirectory, 'nodes', encodeURIComponent(name)),
      ask: (token) => this.#ask(token),
      // Where a script finds the agent that runs it.
      runHandler: handlerRunner({ environment: { ...environment, ...addresses(address()) }, clock }),
      clock,
      log,
    });
    this.#nodes.set(name, handlers);
    return handlers;
  }

  #ask(token: string | null): Ask {
    const known = this.#asks.get(token);
    if (known !== undefined) return known;
    const ask = httpAsk({ address: this.#options.address, token });
    this.#asks.set(token, ask);
    return ask;
  }
}

function addresses(address: string): Record<string, string> {
  return { DROVER_HTTP_ADDR: address, CONSUL_HTTP_ADDR: address };
}
