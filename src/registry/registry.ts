import type { Definition } from '../definition/index.ts';
import { KeyedQueue } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import type { Revision } from '../store/index.ts';
import { amendAll, amendNode } from './amend-node.ts';
import type { Catalog } from './catalog.ts';
import { commitPlans } from './commit-plans.ts';
import type { DeclareOptions } from './declared-by.ts';
import { unknownNode } from './errors.ts';
import { amendExternal } from './external-registration.ts';
import type { ExternalRegistration } from './external-registration.ts';
import type { Feed } from './feed.ts';
import { HeldInstances } from './held-instances.ts';
import { HeldTransitions, isToBeMadeAgain } from './held-transitions.ts';
import type { HeldTransitionsOptions } from './held-transitions.ts';
import { NodeWrites } from './node-writes.ts';
import { planDatastore, planDatastoreRemoval, planDefinitionRemoval, planDefinitions } from './plan-declarations.ts';
import type { DatastorePlace, Declaration } from './plan-declarations.ts';
import type { AliveRecord, CheckRecord, OwnerRecord } from './records.ts';
import type { TxnPlan } from './txn-plan.ts';
import type { NodeRegistration, Transition } from './transition.ts';

export interface RegistryOptions {
  readonly feed: Feed;
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** The name of this server, through which agents speak for their nodes; a server that is alone needs none. */
  readonly server?: string;
  /** Whether changes of definitions and datastores leave their history; they do unless told. */
  readonly history?: boolean;
  /** Where given, transitions of checks are shown while the store takes no writes (store.md 6.3), and written when it does. */
  readonly held?: Pick<HeldTransitionsOptions, 'feed' | 'takesWrites' | 'report'>;
}

/** What to deregister: the whole node, or one service with its checks, or one check. */
export interface Deregistration {
  readonly node: string;
  readonly serviceId?: string;
  readonly checkId?: string;
}

/** What a node says: of what became different, or all of it. */
interface Said {
  readonly node: string;
  readonly checks: readonly CheckRecord[];
  readonly epoch: number | undefined;
  readonly all?: NodeRegistration;
  readonly transitions?: readonly Transition[];
}

/**
 * Writes to the region. Each method resolves with a revision at which what it says is so, applied on this server: reads
 * that follow see it. What is so already is not written and moves no index. Every deletion leaves its tombstones.
 */
export class Registry implements Disposable {
  readonly #feed: Feed;
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #server: string | undefined;
  readonly #keepsHistory: boolean;
  readonly #nodes: NodeWrites;
  readonly #queue = new KeyedQueue();
  readonly #held: HeldTransitions | null;
  readonly #heldOut: HeldInstances | null;

  constructor(options: RegistryOptions) {
    this.#feed = options.feed;
    this.#catalog = options.catalog;
    this.#clock = options.clock;
    this.#server = options.server;
    this.#keepsHistory = options.history ?? true;
    this.#nodes = new NodeWrites(this.#feed, (name) => this.#catalog.nodeState(name));
    this.#held = options.held === undefined ? null : this.#holdWith(options.held);
    this.#heldOut =
      options.held === undefined ? null : new HeldInstances({ feed: options.held.feed, catalog: this.#catalog });
  }

  /** How many transitions of checks are shown here that the store does not have. */
  get heldChecks(): number {
    return this.#held?.size ?? 0;
  }

  [Symbol.dispose](): void {
    this.#held?.[Symbol.dispose]();
  }

  /**
   * Makes the region hold exactly what an agent says of its node, and the node up. `epoch` is the start of the agent, `agent`
   * which one it is: from then on it speaks for the node, through this server. An older start is refused, and so is another agent
   * as long as the first one holds the name.
   *
   * @throws REGISTRY_OLD_EPOCH, REGISTRY_NODE_NAME_HELD, REGISTRY_BAD_REGISTRATION, REGISTRY_UNKNOWN_INSTANCE
   */
  syncNode(registration: NodeRegistration, epoch?: number, agent?: string): Promise<Revision> {
    const { node, checks } = registration;
    const written = this.#nodes.amend(node.name, (picture) => {
      const before = picture.owner;
      if (epoch !== undefined) picture.claim({ node, ...this.#owner(epoch, agent ?? before?.agent) });
      try {
        amendAll(picture, registration, this.#now());
      } catch (error) {
        picture.owner = before;
        throw error;
      }
      this.#held?.supersede(node.name);
    });
    return this.#orHold(written, { node: node.name, checks, epoch, all: registration });
  }

  /** What the region holds of an agent's node; null for one that is not known or that no agent vouches for. */
  held(node: string): NodeRegistration | null {
    const state = this.#catalog.nodeState(node);
    if (state?.stored === undefined || state.record.external) return null;
    const { external: _external, ...record } = state.record;
    const checks = [...state.checkIds()].flatMap((id) => state.check(id)?.record ?? []);
    return { node: record, instances: [...state.unordered()].map((one) => one.record), checks };
  }

  /** The start of the agent that speaks for a node; null: none does. */
  epochOf(node: string): number | null {
    return this.#catalog.nodeState(node)?.owner?.epoch ?? null;
  }

  /**
   * Writes what an agent says has become different on its node.
   *
   * @throws REGISTRY_UNKNOWN_NODE when the node was never synchronised, REGISTRY_OLD_EPOCH
   */
  report(node: string, transitions: readonly Transition[], epoch?: number): Promise<Revision> {
    const checks = checksOf(transitions);
    const written = this.#nodes.amend(node, (picture) => {
      picture.checkEpoch(epoch);
      if (picture.node === undefined) throw unknownNode(node);
      for (const transition of transitions) amendNode(picture, transition);
      this.#held?.supersede(node, checks.keys());
    });
    return this.#orHold(written, { node, checks: [...checks.values()], epoch, transitions });
  }

  /**
   * Writes a node's liveness when its status differs; with `owner`, only as long as this is who speaks for the node.
   *
   * @throws REGISTRY_UNKNOWN_NODE, REGISTRY_OLD_EPOCH when a later start of an agent speaks for it
   */
  setAlive(node: string, alive: AliveRecord, owner?: Pick<OwnerRecord, 'epoch'>): Promise<Revision> {
    return this.report(node, [{ type: 'alive', alive }], owner?.epoch);
  }

  /**
   * Registers what no agent vouches for: Consul's `PUT /v1/catalog/register`.
   *
   * @throws REGISTRY_NODE_NAME_TAKEN, REGISTRY_UNKNOWN_INSTANCE for a check of no service
   */
  registerExternal(registration: ExternalRegistration): Promise<Revision> {
    const { region } = this.#catalog;
    return this.#nodes.amend(registration.node.name, (picture) => amendExternal(picture, registration, region));
  }

  /** Consul's `PUT /v1/catalog/deregister`: what is not there is gone already. */
  deregister({ node, serviceId, checkId }: Deregistration): Promise<Revision> {
    return this.#nodes.amend(node, (picture) => {
      if (picture.node === undefined) return;
      if (serviceId !== undefined) picture.removeInstance(serviceId);
      else if (checkId !== undefined) picture.checks.delete(checkId);
      else picture.remove();
    });
  }

  /**
   * Writes definitions, all or nothing: one that is refused leaves everything as it was. More than the store takes at once
   * (about sixty that differ) are written in several revisions.
   *
   * @throws DEFINITION_INVALID and its kin when they do not go together with what is there, REGISTRY_CHANGED_SINCE
   */
  putDefinitions(definitions: readonly Definition[], options: DeclareOptions = {}): Promise<Revision> {
    return this.#declare(options, (declaration) => planDefinitions(this.#catalog, definitions, declaration));
  }

  /** Removes a definition; one that is not there is gone already. @throws REGISTRY_CHANGED_SINCE */
  removeDefinition(federation: string, id: string, options: DeclareOptions = {}): Promise<Revision> {
    return this.#declare(options, (declaration) => planDefinitionRemoval(this.#catalog, federation, id, declaration));
  }

  /**
   * Writes a datastore's value for one region, or for every region (`-`).
   *
   * @throws when a definition provides the name, REGISTRY_CHANGED_SINCE
   */
  setDatastore(
    federation: string,
    region: string,
    name: string,
    value: string,
    options: DeclareOptions = {},
  ): Promise<Revision> {
    const place: DatastorePlace = { federation, region, name };
    const plan = (declaration: Declaration): readonly TxnPlan[] =>
      planDatastore(this.#catalog, place, value, declaration);
    const isKnown = this.#catalog.datastore(federation, region, name) !== undefined;
    if (!isKnown) return this.#declare(options, plan);
    const declaration = this.#declaration(options);
    // Only those of one name take turns: each says in history what the one before it was.
    return this.#queue.run(JSON.stringify(place), () =>
      commitPlans(this.#feed, `datastore ${name}`, () => plan(declaration)),
    );
  }

  /**
   * Removes the value of exactly that region (`-` = the one for every region); one that is not there is gone already.
   *
   * @throws REGISTRY_CHANGED_SINCE
   */
  removeDatastore(federation: string, region: string, name: string, options: DeclareOptions = {}): Promise<Revision> {
    const place: DatastorePlace = { federation, region, name };
    return this.#declare(options, (declaration) => planDatastoreRemoval(this.#catalog, place, declaration));
  }

  /** Shows what a node says of what gets traffic also where it cannot be written. @throws what writing throws */
  async #orHold(written: Promise<Revision>, said: Said): Promise<Revision> {
    const { node, checks, epoch, all, transitions = [] } = said;
    try {
      const revision = await written;
      this.#held?.settle(node, all === undefined ? checks.map(({ id }) => id) : undefined);
      if (all === undefined) this.#heldOut?.settle(node, transitions);
      else this.#heldOut?.settleAll(node);
      return revision;
    } catch (error) {
      if (!isToBeMadeAgain(error)) throw error;
      this.#held?.hold(node, checks, epoch);
      if (all === undefined) this.#heldOut?.hold(node, transitions);
      else this.#heldOut?.holdAll(node, all);
      throw error;
    }
  }

  #holdWith(options: NonNullable<RegistryOptions['held']>): HeldTransitions {
    return new HeldTransitions({
      ...options,
      catalog: this.#catalog,
      clock: this.#clock,
      write: (node, held, epoch) =>
        this.#nodes.amend(node, (picture) => {
          picture.checkEpoch(epoch);
          if (picture.node === undefined) throw unknownNode(node);
          for (const check of held()) amendNode(picture, { type: 'check', check });
        }),
    });
  }

  #declare(options: DeclareOptions, plan: (declaration: Declaration) => readonly TxnPlan[]): Promise<Revision> {
    const declaration = this.#declaration(options);
    return this.#queue.run('declarations', () => commitPlans(this.#feed, 'the definitions', () => plan(declaration)));
  }

  #declaration({ author = 'unknown', expected }: DeclareOptions): Declaration {
    return { by: this.#keepsHistory ? { author, at: this.#now() } : null, expected };
  }

  #owner(epoch: number, agent: string | undefined): OwnerRecord {
    const server = this.#server;
    return { epoch, ...(server === undefined ? {} : { server }), ...(agent === undefined ? {} : { agent }) };
  }

  #now(): string {
    return new Date(this.#clock.wall()).toISOString();
  }
}

/** The last word about each check, by id. */
function checksOf(transitions: readonly Transition[]): Map<string, CheckRecord> {
  const checks = new Map<string, CheckRecord>();
  for (const transition of transitions) {
    if (transition.type === 'check') checks.set(transition.check.id, transition.check);
    else if (transition.type === 'instance') for (const check of transition.checks) checks.set(check.id, check);
  }
  return checks;
}
