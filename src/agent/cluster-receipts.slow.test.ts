import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DroverError } from '../lib/index.ts';
import type { NodeLink } from '../link/index.ts';
import type { NodeRegistration, NodeView } from '../registry/index.ts';
import { definitionOf, instanceRecordOf, nodeRecordOf } from '../registry/testing.ts';
import { startTestCluster, type TestCluster } from './testing-cluster.ts';

const SERVERS = 3;
const NODES = ['n1', 'n2', 'n3'] as const;
const PROVIDERS = ['p1', 'p2', 'p3'] as const;
const DEFINITIONS = [
  definitionOf({ id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' } }),
  definitionOf({ id: 'app', requires: { API_URL: '{API_URL}', DB: '{DB}' } }),
];

/** What a node's file of the service holds: the value that follows from the catalog alone, and the one that was chosen. */
interface Inputs {
  readonly db: string;
  readonly api: string;
}

const NOTHING: Inputs = { db: '', api: '' };

function inputsOf(view: NodeView): Inputs {
  const value = (name: string): string => view.environments[0]?.variables.find((one) => one.name === name)?.value ?? '';
  return { db: value('DB'), api: value('API_URL') };
}

/** Somebody said that a revision had arrived, and this is what a node had by then. */
interface Claim {
  readonly server: string;
  readonly revision: number;
  readonly node: string;
  readonly had: Inputs;
  /** Where the node was linked, since which revision. */
  readonly home: string;
  readonly since: number;
}

/** A node that takes views up late, keeps what it has over its links, and moves between servers. */
class SlowNode {
  readonly registration: NodeRegistration;
  taken: Inputs = NOTHING;
  since = 0;
  #takenAt = 0;
  #latest: NodeView | null = null;
  #link: NodeLink | null = null;

  constructor(name: string) {
    this.registration = {
      node: nodeRecordOf({ name, runs: ['app'], consumers: ['environment'] }),
      instances: [],
      checks: [],
    };
  }

  /** The server that it is linked to; empty for none. */
  get home(): string {
    return this.#link?.isOpen === true ? this.#link.server : '';
  }

  get name(): string {
    return this.registration.node.name;
  }

  async move(cluster: TestCluster, at: number): Promise<void> {
    this.leave();
    if (cluster.server(at).region === null) return;
    const link = await passing(
      cluster,
      cluster.attach(at, this.registration, { choices: this.#latest?.choices ?? {} }),
    ).catch(() => null);
    if (link === null) return;
    this.#link = link;
    this.since = cluster.server(at).parts.changes.revision;
    link.onView((view) => (this.#latest = view));
    // What it had, it says again.
    if (this.#takenAt > 0) this.#say(this.#takenAt);
  }

  leave(): void {
    this.#link?.close();
    this.#link = null;
  }

  /** Takes up the newest view that came. */
  take(): void {
    if (this.#latest === null || this.#link?.isOpen !== true) return;
    this.taken = inputsOf(this.#latest);
    this.#takenAt = this.#latest.revision;
    this.#say(this.#takenAt);
  }

  #say(revision: number): void {
    this.#link?.receipt({ kind: 'environment', revision, outcome: 'applied' });
  }
}

/** What waits for time to go by gets it. */
async function passing<T>(cluster: TestCluster, task: Promise<T>): Promise<T> {
  let isOver = false;
  void task.then(() => (isOver = true)).catch(() => (isOver = true));
  for (let turn = 0; turn < 400 && !isOver; turn++) await cluster.clock.advance(50);
  return task;
}

class World implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly nodes = new Map(NODES.map((name) => [name as string, new SlowNode(name)]));
  /** By server and node: what it would have given the node, at each revision. */
  readonly #given = new Map<string, Map<number, Inputs>>();
  /** The revisions of values of the datastore. */
  readonly #databases = new Map<string, number>();
  readonly #claims: Claim[] = [];
  readonly #claimed = new Set<string>();

  static async start(delays: readonly number[]): Promise<World> {
    let at = 0;
    const delayMs = (): number => delays[at++ % delays.length] ?? 0;
    const cluster = await startTestCluster({ servers: SERVERS, delayMs });
    const world = new World(cluster);
    for (const place of cluster.servers.keys()) world.#observe(place);
    await passing(cluster, cluster.server(0).parts.registry.putDefinitions(DEFINITIONS));
    for (const [at, node] of [...world.nodes.values()].entries()) await node.move(cluster, at % SERVERS);
    await cluster.clock.advance(2_000);
    for (const node of world.nodes.values()) node.take();
    return world;
  }

  private constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  /** Notes what a server gives each node. */
  #observe(at: number): void {
    const { name: server, parts } = this.cluster.server(at);
    const note = (): void => {
      for (const name of this.nodes.keys()) {
        const view = parts.changes.view(name);
        if (view === undefined) continue;
        const key = `${server} ${name}`;
        const given = this.#given.get(key) ?? new Map<number, Inputs>();
        this.#given.set(key, given.set(parts.changes.revision, inputsOf(view)));
      }
      const db = parts.catalog.datastore('default', 'aws', 'DB');
      if (db !== undefined) this.#databases.set(db.record.value, db.modRevision);
    };
    note();
    parts.feed.onApplied(note);
  }

  /** A value that was never set before. */
  newDatabase(): string {
    return `db${this.#count++}`;
  }
  #count = 1;

  async restart(at: number): Promise<void> {
    if (this.cluster.server(at).region === null) {
      await this.cluster.start(at);
      this.#observe(at);
    } else if (this.cluster.servers.filter(({ region }) => region !== null).length > 1) await this.cluster.stop(at);
  }

  /** Notes each claim of a server that a revision has arrived, the first time. */
  look(): void {
    for (const { name: server, region } of this.cluster.servers)
      for (const { revision, converged, consumers } of region?.parts.changes.latest(40) ?? []) {
        const key = `${server} ${revision}`;
        if (!converged || this.#claimed.has(key)) continue;
        this.#claimed.add(key);
        const down = new Set(consumers.filter((one) => one.down === true).map((one) => one.node));
        for (const { name: node, taken: had, home, since } of this.nodes.values())
          if (!down.has(node)) this.#claims.push({ server, revision, node, had, home, since });
      }
  }

  /** Claims about nodes that had not what they should have had from that revision on. */
  early(): Claim[] {
    return this.#claims.filter((claim) => this.#lacksDatabase(claim) || this.#lacksChoice(claim));
  }

  /** The claimed revision set the value, and the node had one of before. */
  #lacksDatabase({ revision, had }: Claim): boolean {
    const isAbout = [...this.#databases.values()].includes(revision);
    return isAbout && (this.#databases.get(had.db) ?? 0) < revision;
  }

  /** The claimed revision gave the node another value on the server that it has been linked to since before, and it had none of since then. */
  #lacksChoice({ revision, had, node, home, since }: Claim): boolean {
    if (revision <= since) return false;
    const given = [...(this.#given.get(`${home} ${node}`) ?? [])].toSorted(([a], [b]) => a - b);
    const at = given.findIndex(([one]) => one === revision);
    const [before, now] = [given[at - 1]?.[1], given[at]?.[1]];
    if (before === undefined || now === undefined || before.api === now.api) return false;
    return !given.slice(at).some(([, one]) => one.api === had.api);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes.values()) node.leave();
    await this.cluster[Symbol.asyncDispose]();
  }
}

type Step = (world: World) => Promise<unknown> | void;

const server = fc.nat(SERVERS - 1);
const node = fc.constantFrom(...NODES);

/** Writes through a server that runs. */
function write(at: number, act: (parts: TestCluster['servers'][number]['parts']) => Promise<unknown>): Step {
  return async ({ cluster }) => {
    const { region } = cluster.server(at);
    if (region === null) return;
    await passing(cluster, act(region.parts)).catch((error: unknown) => {
      if (!(error instanceof DroverError)) throw error;
    });
  };
}

const scale = fc
  .record({ at: server, name: fc.constantFrom(...PROVIDERS), port: fc.constantFrom(80, 81, 82) })
  .map(({ at, name, port }) =>
    write(at, ({ registry }) =>
      registry.registerExternal({
        node: { name, address: `10.0.0.${name.at(-1)}` },
        instance: instanceRecordOf({ service: 'api', port }),
      }),
    ),
  );
const shrink = fc
  .record({ at: server, name: fc.constantFrom(...PROVIDERS) })
  .map(({ at, name }) => write(at, ({ registry }) => registry.deregister({ node: name })));
const datastore = server.map(
  (at): Step =>
    (world) =>
      write(at, ({ registry }) => registry.setDatastore('default', '-', 'DB', world.newDatabase()))(world),
);
const take = node.map(
  (name): Step =>
    (world) =>
      world.nodes.get(name)?.take(),
);
const pass = fc.integer({ min: 1, max: 1_500 }).map(
  (ms): Step =>
    ({ cluster }) =>
      cluster.clock.advance(ms),
);
const move = fc.record({ name: node, at: server }).map(
  ({ name, at }): Step =>
    (world) =>
      world.nodes.get(name)?.move(world.cluster, at),
);
const restart = server.map(
  (at): Step =>
    (world) =>
      world.restart(at),
);
/** A server begins anew, and chooses by its own lights; then the instance that a node has chosen becomes another. */
const upset = fc
  .record({ name: node, at: server, port: fc.constantFrom(83, 84) })
  .map(({ name, at, port }): Step => async (world) => {
    const { cluster } = world;
    const home = cluster.servers.find((one) => one.name === world.nodes.get(name)?.home);
    if (home === undefined || home === cluster.server(at)) return;
    await world.restart(at);
    if (cluster.server(at).region === null) await world.restart(at);
    await cluster.clock.advance(3_000);
    const chosen = home.region?.parts.changes.view(name)?.choices['app/API_URL']?.instance.split('/')[0];
    if (chosen === undefined) return;
    const registration = { node: { name: chosen, address: `10.0.0.${chosen.at(-1)}` } };
    const instance = instanceRecordOf({ service: 'api', port });
    await write(cluster.servers.indexOf(home), ({ registry }) =>
      registry.registerExternal({ ...registration, instance }),
    )(world);
    await cluster.clock.advance(3_000);
  });
const lines = fc.record({ one: server, other: server, cuts: fc.boolean() }).map(
  ({ one, other, cuts }): Step =>
    ({ cluster }) =>
      cuts ? cluster.cutPeers(one, other) : cluster.mendPeers(one, other),
);

const step = fc.oneof(
  { weight: 4, arbitrary: scale },
  { weight: 2, arbitrary: shrink },
  { weight: 3, arbitrary: datastore },
  { weight: 6, arbitrary: take },
  { weight: 6, arbitrary: pass },
  { weight: 2, arbitrary: move },
  { weight: 1, arbitrary: restart },
  { weight: 1, arbitrary: upset },
  { weight: 1, arbitrary: lines },
);

/** Everything works again and time goes by: all that is remembered has arrived everywhere. */
async function heal(world: World): Promise<void> {
  const { cluster } = world;
  for (let one = 0; one < SERVERS; one++)
    for (let other = one + 1; other < SERVERS; other++) cluster.mendPeers(one, other);
  for (const at of cluster.servers.keys()) if (cluster.server(at).region === null) await world.restart(at);
  for (let turn = 0; turn < 8; turn++) {
    // As agents do, each tries again until it is linked.
    for (const [at, one] of [...world.nodes.values()].entries())
      if (turn === 0 || one.home === '') await one.move(cluster, at % SERVERS);
    await cluster.clock.advance(2_000);
    for (const one of world.nodes.values()) one.take();
    world.look();
  }
  await cluster.clock.advance(2_000);
}

test('Changes.converged() is never early on any server, and true on all in the end, whoever moves, lags or restarts', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 15, maxLength: 50 }),
    fc.array(fc.constantFrom(0, 0, 5, 30, 120, 400), { minLength: 1, maxLength: 12 }),
    async (steps, delays) => {
      await using world = await World.start(delays);
      for (const one of steps) {
        await one(world);
        world.look();
      }
      expect(world.early()).toEqual([]);
      await heal(world);
      expect(world.early()).toEqual([]);
      for (const { name, parts } of world.cluster.servers)
        for (const { revision, converged, consumers } of parts.changes.latest(100))
          expect(converged, `${name} of ${revision}: ${JSON.stringify(consumers)}`).toBe(true);
    },
  );
  await fc.assert(property, { numRuns: 40 });
});
