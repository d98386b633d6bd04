import type { LocalNode } from '../api/index.ts';
import { messageOf } from '../lib/index.ts';
import type { NodeConfig } from './config/config.ts';
import type { Log } from './log.ts';
import { ownerOf } from './owner.ts';
import type { NodeStep } from './reload-plan.ts';
import type { Ending, StartedNode } from './start-node.ts';

export interface HostedNodesOptions {
  readonly start: (config: NodeConfig) => Promise<StartedNode>;
  /** Takes up what a node can while it runs. */
  readonly change: (node: StartedNode, config: NodeConfig) => Promise<void>;
  readonly log: Log;
}

/** The nodes of one agent: started together, changed one by one, ended together. */
export class HostedNodes implements AsyncDisposable {
  readonly #options: HostedNodesOptions;
  readonly #started = new Map<string, StartedNode>();
  readonly #local = new Map<string, LocalNode>();
  #ending: Ending = 'stop';

  constructor(options: HostedNodesOptions) {
    this.#options = options;
  }

  /** The nodes as the API sees them, in order; it changes with them. */
  get local(): ReadonlyMap<string, LocalNode> {
    return this.#local;
  }

  /** What each runs with, in order. */
  get configs(): readonly NodeConfig[] {
    return [...this.#started.values()].map((one) => one.config);
  }

  /** Starts nodes at once. When one cannot start the others have; disposing ends them. @throws the first one's error */
  async start(configs: readonly NodeConfig[]): Promise<void> {
    const results = await Promise.allSettled(configs.map((config) => this.#options.start(config)));
    for (const result of results) if (result.status === 'fulfilled') this.#keep(result.value);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /**
   * Takes one step after the other. One that fails leaves its node as it was and the others go on.
   *
   * @throws the first step's error, at the end
   */
  async apply(steps: readonly NodeStep[]): Promise<void> {
    const configs = steps.flatMap((step) => (step.type === 'leave' ? [] : [step.config]));
    // Looked up first: what can be known to be wrong changes nothing.
    for (const { environment } of configs) await ownerOf(environment?.owner ?? null);
    const errors: unknown[] = [];
    for (const step of steps) await this.#take(step).catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }

  /** Every node says that it leaves; what is theirs ends with them. */
  async leave(): Promise<void> {
    this.#ending = 'leave';
    await Promise.all([...this.#started.values()].map((one) => this.#sayGoodbye(one)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = await Promise.allSettled([...this.#started.values()].map((one) => one.end(this.#ending)));
    for (const one of ended) if (one.status === 'rejected') this.#options.log.error({}, messageOf(one.reason));
  }

  async #take(step: NodeStep): Promise<void> {
    if (step.type === 'add') return this.start([step.config]);
    const name = step.type === 'leave' ? step.name : step.config.name;
    const started = this.#started.get(name);
    if (started === undefined) return;
    if (step.type === 'restart') return this.#restart(started, step.config);
    if (step.type === 'change') {
      await this.#options.change(started, step.config);
      return this.#keep({ ...started, config: step.config });
    }
    await this.#sayGoodbye(started);
    this.#forget(name);
    await started.end('leave');
  }

  async #restart(started: StartedNode, config: NodeConfig): Promise<void> {
    await started.end(config.balancer === null ? 'leave' : 'restart');
    try {
      this.#keep(await this.#options.start(config));
    } catch (error) {
      // Without a node rather than with one that has ended: the next reload starts it.
      this.#forget(config.name);
      this.#keep(await this.#options.start(started.config));
      throw error;
    }
  }

  #keep(started: StartedNode): void {
    this.#started.set(started.config.name, started);
    this.#local.set(started.config.name, started.node);
  }

  #forget(name: string): void {
    this.#started.delete(name);
    this.#local.delete(name);
  }

  async #sayGoodbye({ node, config }: StartedNode): Promise<void> {
    await node.leave().catch((error: unknown) => this.#options.log.warn({ node: config.name }, messageOf(error)));
  }
}
