import path from 'node:path';
import type { Clock } from '../lib/index.ts';
import type { Ask } from './ask.ts';
import type { HandedOver } from './handed-over.ts';
import type { RunHandler } from './handler.ts';
import { ReactionLoop } from './reaction-loop.ts';
import { type ReactionDefinition, reactionIdentity } from './reaction.ts';
import { RunningSet } from './running-set.ts';
import type { RunTally } from './run-tally.ts';
import { savedReaction } from './saved-reaction.ts';
import { StateFiles } from './state-files.ts';
import { type EventTold, WatchLoop } from './watch-loop.ts';
import { type WatchDefinition, watchIdentity } from './watch.ts';

export interface NodeHandlersOptions {
  readonly node: string;
  /** The node's own state directory. */
  readonly stateDirectory: string;
  /** What the watches of all nodes of the agent have handed over. */
  readonly handedOver: HandedOver;
  /** What the log is told of runs that went well. */
  readonly tally: RunTally;
  /** How the API is asked with a token; null is the agent's default one. */
  readonly ask: (token: string | null) => Ask;
  readonly runHandler: RunHandler;
  readonly clock: Clock;
  readonly log: EventTold;
}

/** What a node's configuration says about handlers. */
export interface HandlerConfig {
  readonly watches: readonly WatchDefinition[];
  readonly reactions: readonly ReactionDefinition[];
}

/** The watches and reactions of one node. */
export class NodeHandlers implements AsyncDisposable {
  readonly #options: NodeHandlersOptions;
  readonly #watches: RunningSet<WatchDefinition>;
  readonly #reactions: RunningSet<ReactionDefinition>;

  constructor(options: NodeHandlersOptions) {
    this.#options = options;
    const { node, handedOver, stateDirectory } = options;
    const files = new StateFiles(path.join(stateDirectory, 'reactions'));
    this.#watches = new RunningSet({
      identityOf: watchIdentity,
      start: (watch, identity) => this.#startWatch(watch, identity),
      keepOnly: (identities) => Promise.resolve(handedOver.keepOnly(node, identities)),
    });
    this.#reactions = new RunningSet({
      identityOf: reactionIdentity,
      start: (reaction, identity) => this.#startReaction(reaction, files.of(identity)),
      keepOnly: (identities) => files.keepOnly(identities),
    });
  }

  /** Takes up a configuration; what it leaves as it was goes on. */
  async apply({ watches, reactions }: HandlerConfig): Promise<void> {
    await this.#watches.apply(watches);
    await this.#reactions.apply(reactions);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#watches[Symbol.asyncDispose](), this.#reactions[Symbol.asyncDispose]()]);
  }

  #startWatch(watch: WatchDefinition, identity: string): Promise<WatchLoop> {
    const { node, handedOver, tally } = this.#options;
    const saved = handedOver.of({ node, identity }, watch.query.title);
    return WatchLoop.start({ ...this.#shared(watch.token), watch, saved, tally });
  }

  #startReaction(reaction: ReactionDefinition, file: string): Promise<ReactionLoop> {
    const { name } = reaction;
    const saved = savedReaction(file, (text) => this.#options.log.warn({ reaction: name }, text));
    return ReactionLoop.start({ ...this.#shared(reaction.token), reaction, saved });
  }

  #shared(token: string | null) {
    const { node, ask, runHandler, clock, log } = this.#options;
    return {
      ask: ask(token),
      runHandler,
      clock,
      variables: { DROVER_NODE: node },
      log: {
        info: (fields: object, text: string) => log.info({ node, ...fields }, text),
        warn: (fields: object, text: string) => log.warn({ node, ...fields }, text),
      },
    };
  }
}
