import { describe, expect, test } from 'vitest';
import { ALL_ALLOWED, denied, unknownToken, type AccessControl } from '../access/index.ts';
import { Changes } from '../change/index.ts';
import { FakeClock } from '../lib/index.ts';
import type { NodeRegistration, NodeView } from '../registry/index.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { RegionLiteral, TestRegistry } from '../registry/testing.ts';
import { storeNoLeader } from '../store/index.ts';
import { channelPair } from './channel-pair.ts';
import type { NodeChannel } from './channel-pair.ts';
import { PROTOCOL_VERSION, type NodeMessage, type Order, type RegionMessage } from './messages.ts';
import { NodeLink } from './node-link.ts';
import type { NodeLinkOptions } from './node-link.ts';
import { QuestionHandlers } from './question-desk.ts';
import type { NodeQuestions } from './questions.ts';
import type { NodeAuthority, RegionLinksOptions } from './region-link.ts';
import { RegionLinks, syncFactorOf } from './region-links.ts';
import type { LinkPeer } from './websocket-entrance.ts';

const REGION: RegionLiteral = {
  definitions: [
    { id: 'app-www', requires: { API_URL: '{API_URL}', DB: '{DB}' } },
    { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, localPort: 1100 },
  ],
  datastores: { DB: 'mysql://db1' },
};
const STAGING: NodeRegistration = {
  node: nodeRecordOf({
    name: 'staging',
    runs: ['app-www'],
    balancer: { address: '127.0.0.1' },
    consumers: ['environment', 'balancer', 'listener'],
  }),
  instances: [instanceRecordOf({ service: 'app-www', port: 8080 })],
  checks: [checkRecordOf({ id: 'web', serviceId: 'app-www' })],
};
const API: NodeRegistration = {
  node: nodeRecordOf({ name: 'api-1', address: '127.0.0.2' }),
  instances: [instanceRecordOf({ service: 'api', port: 1100 })],
  checks: [checkRecordOf({ id: 'up', serviceId: 'api' })],
};

interface Fixture extends AsyncDisposable {
  /** Makes every write of nodes fail; null: none. */
  failWrites(error: Error | null): void;
  readonly region: TestRegistry;
  readonly changes: Changes;
  readonly links: RegionLinks;
  /** What the region told of links: `+node`, `-node: reason`. */
  readonly log: string[];
  connect(registration: NodeRegistration, more?: Partial<NodeLinkOptions>, peer?: LinkPeer): Promise<NodeLink>;
}

async function start(literal: RegionLiteral = REGION, more: Partial<RegionLinksOptions> = {}): Promise<Fixture> {
  const clock = new FakeClock();
  const region = await startTestRegistry({ ...literal, clock });
  const changes = await Changes.start({ feed: region.feed, catalog: region.catalog, clock });
  const log: string[] = [];
  let failure: Error | null = null;
  const { registry } = region;
  const failing = <T>(write: () => Promise<T>): Promise<T> => (failure === null ? write() : Promise.reject(failure));
  const authority: NodeAuthority = {
    syncNode: (...args) => failing(() => registry.syncNode(...args)),
    report: (...args) => failing(() => registry.report(...args)),
    held: (node) => registry.held(node),
    epochOf: (node) => registry.epochOf(node),
  };
  const links = await RegionLinks.start({
    server: 'server-1',
    authority,
    changes,
    ...more,
    onLinked: (node) => log.push(`+${node}`),
    onUnlinked: (node, reason) => log.push(`-${node}: ${reason}`),
  });
  const connect: Fixture['connect'] = (registration, more = {}, peer) => {
    const [channel, far] = channelPair();
    links.accept(far, peer);
    return NodeLink.connect({ channel, node: registration.node.name, epoch: 1, registration, choices: {}, ...more });
  };
  const close = async (): Promise<void> => {
    await links[Symbol.asyncDispose]();
    await changes[Symbol.asyncDispose]();
    await region[Symbol.asyncDispose]();
    expect(region.errors).toEqual([]);
  };
  const failWrites = (error: Error | null): void => void (failure = error);
  return { region, changes, links, log, connect, failWrites, [Symbol.asyncDispose]: close };
}

/** The views that a link gets, as they come. */
function viewsOf(link: NodeLink): NodeView[] {
  const views: NodeView[] = [];
  link.onView((view) => views.push(view));
  return views;
}

const turns = async (count = 5): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('NodeLink.connect()', () => {
  test('NodeLink.connect() registers the node and gets its view', async () => {
    await using fixture = await start();
    const link = await fixture.connect(STAGING);
    const views = viewsOf(link);
    await turns();
    expect(fixture.region.catalog.node('staging')?.instances.size).toBe(1);
    expect(link.server).toBe('server-1');
    expect(link.revision).toBe(fixture.changes.revision);
    expect(views).toHaveLength(1);
    expect(views[0]).toMatchObject({ node: 'staging', revision: link.revision });
    expect(views[0]?.environments[0]?.variables.map((one) => one.value)).toEqual([
      'http://127.0.0.1:1100',
      'mysql://db1',
    ]);
    expect(fixture.log).toEqual(['+staging']);
    expect(fixture.links.nodes()).toEqual(['staging']);
  });

  test('NodeLink.connect() goes on with the direct choices that the node remembers', async () => {
    const definitions = REGION.definitions?.map((one) => ({ ...one, localPort: null })) ?? [];
    await using fixture = await start({ ...REGION, definitions });
    const choice = { instance: 'gone/api', value: 'http://last-known' };
    const link = await fixture.connect(STAGING, { choices: { 'app-www/API_URL': choice } });
    const views = viewsOf(link);
    await turns();
    expect(views[0]?.environments[0]?.variables[0]).toMatchObject({ value: 'http://last-known', state: 'stale' });
  });

  test.each<[string, object, string]>([
    ['another protocol', { protocol: 7 }, 'the node speaks link protocol 7, this server speaks 2'],
    ['no greeting', { type: 'ping' }, 'the node\'s first message is not a greeting: it is "ping"'],
    ['a greeting for another node', { node: 'other' }, 'it registers another node'],
  ])('NodeLink.connect() is refused with the reason when the first message is %s', async (_name, bad, reason) => {
    await using fixture = await start();
    const [channel, far] = channelPair();
    fixture.links.accept(far);
    const tampered: NodeChannel = {
      ...bind(channel),
      send: (message) => channel.send({ ...message, ...bad } as never),
    };
    const connecting = NodeLink.connect({
      channel: tampered,
      node: 'staging',
      epoch: 1,
      registration: STAGING,
      choices: {},
    });
    await expect(connecting).rejects.toMatchObject({ code: 'LINK_REFUSED', message: expect.stringContaining(reason) });
    expect(fixture.region.catalog.node('staging')).toBeUndefined();
    expect(fixture.log).toEqual([]);
  });

  test('NodeLink.connect() is refused when a later start of the agent has greeted', async () => {
    await using fixture = await start();
    await fixture.connect(STAGING, { epoch: 5 });
    await expect(fixture.connect(STAGING, { epoch: 4 })).rejects.toThrow(
      'epoch 5 has spoken for it since (LINK_OLD_EPOCH)',
    );
    expect(fixture.links.nodes()).toEqual(['staging']);
  });

  test('NodeLink.connect() is refused with the registry’s word when the registration is not accepted', async () => {
    await using fixture = await start();
    const checks = [checkRecordOf({ id: 'x', serviceId: 'not-there' })];
    await expect(fixture.connect({ ...STAGING, checks })).rejects.toThrow('REGISTRY_');
    expect(fixture.links.nodes()).toEqual([]);
    expect(fixture.log).toEqual([]);
  });

  test('NodeLink.connect() takes the place of the link before, whose node is told', async () => {
    await using fixture = await start();
    const first = await fixture.connect(STAGING);
    const second = await fixture.connect(STAGING, { epoch: 2 });
    expect(await first.closed).toBe('the node has connected again');
    expect(second.isOpen).toBe(true);
    expect(fixture.log).toEqual(['+staging', '+staging']);
  });

  test('RegionLinks tells that a node is unlinked when what takes the place of its link comes to nothing', async () => {
    await using fixture = await start();
    await fixture.connect(STAGING);
    fixture.failWrites(new Error('no answer came'));
    await expect(fixture.connect(STAGING, { epoch: 2 })).rejects.toThrow('no answer came');
    expect([fixture.links.nodes(), fixture.log]).toEqual([[], ['+staging', '-staging: no answer came']]);
  });

  test('RegionLinks tells that a node is unlinked when it dies while it greets again', async () => {
    await using fixture = await start();
    await fixture.connect(STAGING);
    const [channel, far] = channelPair();
    fixture.links.accept(far, null);
    const { node: record } = STAGING;
    // It has something that the region asks for, and dies before it answers.
    const digests = { instances: [['new', 'digest']], checks: [] } as const;
    const hello = { type: 'hello', protocol: PROTOCOL_VERSION, node: 'staging', epoch: 2, agent: '' } as const;
    channel.send({ ...hello, record, digests, choices: {} });
    await turns();
    channel.close('it died');
    await turns();
    expect([fixture.links.nodes(), fixture.log]).toEqual([[], ['+staging', '-staging: it died']]);
  });

  test('NodeLink.connect() rejects when the channel closes before the answer', async () => {
    const [channel, far] = channelPair();
    const connecting = NodeLink.connect({ channel, node: 'n', epoch: 1, registration: STAGING, choices: {} });
    far.close('no server here');
    await expect(connecting).rejects.toMatchObject({
      code: 'LINK_CLOSED',
      message: 'the link is closed: no server here',
    });
  });

  test('NodeLink.connect() rejects with the signal’s reason when it is aborted', async () => {
    const [channel] = channelPair();
    const abort = new AbortController();
    const { signal } = abort;
    const connecting = NodeLink.connect({ channel, node: 'n', epoch: 1, registration: STAGING, choices: {}, signal });
    abort.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
    await expect(
      NodeLink.connect({ channel, node: 'n', epoch: 1, registration: STAGING, choices: {}, signal }),
    ).rejects.toThrow('enough');
  });
});

describe('NodeLink', () => {
  test('NodeLink.report() resolves with a revision at which it is so', async () => {
    await using fixture = await start();
    const link = await fixture.connect(API);
    const revision = await link.report([
      { type: 'check', check: checkRecordOf({ id: 'up', serviceId: 'api', status: 'critical' }) },
    ]);
    expect(revision).toBe(fixture.changes.revision);
    expect(fixture.region.catalog.instances('api')[0]?.checks.get('up')?.record.status).toBe('critical');
  });

  test('NodeLink.sync() makes the region hold exactly the registration', async () => {
    await using fixture = await start();
    const link = await fixture.connect(API);
    await link.sync({ ...API, instances: [], checks: [] });
    expect(fixture.region.catalog.instances('api')).toEqual([]);
  });

  test('NodeLink.report() rejects with the region’s code, status and words', async () => {
    await using fixture = await start();
    const link = await fixture.connect(API);
    await fixture.region.registry.deregister({ node: 'api-1' });
    const reporting = link.report([{ type: 'check', check: checkRecordOf({ id: 'up' }) }]);
    await expect(reporting).rejects.toMatchObject({
      code: 'REGISTRY_UNKNOWN_NODE',
      status: 404,
      hint: expect.any(String),
    });
  });

  test('NodeLink.report() rejects when the link closes before the answer, and at once afterwards', async () => {
    await using fixture = await start();
    const link = await fixture.connect(API);
    const reporting = link.report([{ type: 'check-gone', id: 'up' }]);
    link.close('going');
    await expect(reporting).rejects.toMatchObject({ code: 'LINK_CLOSED' });
    await expect(link.report([])).rejects.toMatchObject({ code: 'LINK_CLOSED' });
    await turns();
    expect(fixture.log).toEqual(['+api-1', '-api-1: going']);
    expect(fixture.links.nodes()).toEqual([]);
  });

  test('NodeLink.receipt() counts for the node itself only', async () => {
    await using fixture = await start();
    const staging = await fixture.connect(STAGING);
    const api = await fixture.connect(API);
    const revision = await fixture.region.registry.setDatastore('default', '-', 'DB', 'mysql://db2');
    api.receipt({ node: 'staging', kind: 'environment', revision, outcome: 'applied' } as never);
    await turns();
    expect(fixture.changes.trace(revision).arrived).toBe(0);
    staging.receipt({ kind: 'environment', revision, outcome: 'applied' });
    await turns();
    expect(fixture.changes.trace(revision).arrived).toBe(1);
  });

  test('NodeLink.onView() gets each view that became another, and none for what does not concern the node', async () => {
    await using fixture = await start();
    const views = viewsOf(await fixture.connect(STAGING));
    await turns();
    await fixture.region.registry.setDatastore('default', '-', 'OTHER', 'x');
    await turns();
    expect(views).toHaveLength(1);
    const api = await fixture.connect(API);
    await turns();
    expect(views).toHaveLength(2);
    expect(views[1]).toMatchObject({
      revision: api.revision,
      balancer: { frontends: [{ members: [{ key: 'api-1/api' }] }] },
    });
  });

  test('NodeLink.onView() gets the latest of several views when they commit in one turn', async () => {
    await using fixture = await start();
    const views = viewsOf(await fixture.connect(STAGING));
    await turns();
    const writes = ['a', 'b', 'c', 'd'].map((value) =>
      fixture.region.registry.setDatastore('default', '-', 'DB', value),
    );
    const revisions = await Promise.all(writes);
    await turns();
    const last = Math.max(...revisions);
    expect(views.at(-1)?.revision).toBe(last);
    expect(views.length).toBeLessThan(1 + new Set(revisions).size);
    expect(fixture.changes.trace(last).of).toBe(2);
  });

  test('NodeLink.onView() gives a late handler the latest view at once', async () => {
    await using fixture = await start();
    const link = await fixture.connect(STAGING);
    await turns();
    expect(viewsOf(link)).toHaveLength(1);
  });
});

describe('RegionLinks.order()', () => {
  const provision: Order = { type: 'provision', skipSettle: true };
  const off: Order = { type: 'listener', enabled: false };

  test('RegionLinks.order() reaches the node, also before it listens', async () => {
    await using fixture = await start();
    const link = await fixture.connect(STAGING);
    fixture.links.order('staging', provision);
    await turns();
    const orders: Order[] = [];
    link.onOrder((order) => orders.push(order));
    fixture.links.order('staging', off);
    await turns();
    expect(orders).toEqual([provision, off]);
  });

  test('RegionLinks.order() of a lower fence than the node has seen is dropped', async () => {
    await using fixture = await start();
    const link = await fixture.connect(STAGING);
    const orders: Order[] = [];
    link.onOrder((order) => orders.push(order));
    fixture.links.order('staging', provision, 10);
    fixture.links.order('staging', off, 9);
    fixture.links.order('staging', off, 10);
    await turns();
    expect(orders).toEqual([provision, off]);
  });

  test('RegionLinks.order() throws when the node has no link', async () => {
    await using fixture = await start();
    expect(() => fixture.links.order('staging', provision)).toThrow(
      expect.objectContaining({ code: 'LINK_AWAY', status: 503 }),
    );
  });
});

describe('RegionLinks and questions', () => {
  test('RegionLinks.ask() is answered by the node, and NodeLink.ask() by the region', async () => {
    await using fixture = await start();
    const questions = new QuestionHandlers<NodeQuestions>();
    questions.set('listener', () => ({ status: 'off' }));
    const link = await fixture.connect(STAGING, { questions });
    fixture.links.onQuestion('access', ({ secret }, { from }) => ({ rules: from, accessor: secret, ttlMs: 1 }));
    expect(await fixture.links.ask('staging', 'listener', {})).toEqual({ status: 'off' });
    expect(await link.ask('access', { secret: 'x' })).toEqual({ rules: 'staging', accessor: 'x', ttlMs: 1 });
  });

  test('RegionLinks.ask() rejects for a node that is not linked, and NodeLink.ask() for a kind that nobody answers', async () => {
    await using fixture = await start();
    await expect(fixture.links.ask('staging', 'listener', {})).rejects.toMatchObject({ code: 'LINK_AWAY' });
    const link = await fixture.connect(STAGING);
    await expect(link.ask('access', { secret: '' })).rejects.toMatchObject({ code: 'LINK_UNKNOWN_QUESTION' });
    link.close();
    await expect(link.ask('access', { secret: '' })).rejects.toMatchObject({ code: 'LINK_CLOSED' });
  });

  test('RegionLinks.tellServers() tells nodes that are linked, and those that link later', async () => {
    await using fixture = await start();
    const told: string[] = [];
    const listen = (link: NodeLink): void =>
      link.onServers((all) => told.push(`${link.node}: ${all.map((one) => one.name).join()}`));
    listen(await fixture.connect(STAGING));
    fixture.links.tellServers([{ name: 's1', url: 'http://10.0.0.1:8500' }]);
    await turns();
    listen(await fixture.connect(API));
    await turns();
    expect(told).toEqual(['staging: s1', 'api-1: s1']);
  });
});

describe('RegionLinks and who may', () => {
  const peer = (secret: string): LinkPeer => ({ secret, address: '10.0.0.9' });
  const access: AccessControl = {
    isEnabled: true,
    defaultPolicy: 'deny',
    authorityOf(secret) {
      if (secret === 'unknown') throw unknownToken();
      return { ...ALL_ALLOWED, demand: (_resource, name) => demand(secret, name) };
    },
  };
  const revoked = new Set<string>();
  const demand = (secret: string, name: string): void => {
    if (secret !== `for ${name}` || revoked.has(secret)) throw denied('someone', 'node:write', name);
  };

  test.each<[string, string]>([
    ['unknown', 'ACCESS_UNKNOWN_TOKEN'],
    ['for another', 'ACCESS_DENIED'],
    ['', 'ACCESS_DENIED'],
  ])('RegionLinks refuses the node of another process with the token %j', async (secret, code) => {
    await using fixture = await start(REGION, { access });
    await expect(fixture.connect(API, {}, peer(secret))).rejects.toMatchObject({
      message: expect.stringContaining(code),
    });
    expect(fixture.region.catalog.node('api-1')).toBeUndefined();
  });

  test('RegionLinks asks no node of its own process for a token', async () => {
    await using fixture = await start(REGION, { access });
    await fixture.connect(API);
    expect(fixture.links.nodes()).toEqual(['api-1']);
  });

  test('RegionLinks ends a link at its next word when its token may no longer', async () => {
    await using fixture = await start(REGION, { access });
    const link = await fixture.connect(API, {}, peer('for api-1'));
    await link.report([]);
    revoked.add('for api-1');
    await expect(link.report([])).rejects.toMatchObject({ code: 'LINK_CLOSED' });
    expect(fixture.log.at(-1)).toContain('-api-1: ');
    expect(fixture.links.nodes()).toEqual([]);
  });

  test('RegionLinks.endRemote() ends links of other processes only, and thinks nobody lost', async () => {
    await using fixture = await start();
    const own = await fixture.connect(STAGING);
    const remote = await fixture.connect(API, {}, peer(''));
    fixture.links.endRemote('the server stops');
    expect(await remote.closed).toBe('the server stops');
    expect([own.isOpen, fixture.log]).toEqual([true, ['+staging', '+api-1']]);
  });
});

describe('RegionLinks and two agents of one name', () => {
  test('RegionLinks lets the one that is linked keep the name, and tells the other both addresses', async () => {
    await using fixture = await start();
    const first = await fixture.connect(API, { agent: 'a' });
    const other = { ...API, node: { ...API.node, address: '127.0.0.7' } };
    await expect(fixture.connect(other, { agent: 'b', epoch: 9 })).rejects.toThrow(
      /held by the agent at 127\.0\.0\.2 .* the one at 127\.0\.0\.7 .*REGISTRY_NODE_NAME_HELD/,
    );
    expect(first.isOpen).toBe(true);
  });

  test('RegionLinks tells an agent whose clock was set back above which epoch to greet', async () => {
    await using fixture = await start();
    await fixture.connect(API, { agent: 'a', epoch: 5 });
    const refused = await fixture.connect(API, { agent: 'a', epoch: 4 }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ why: 'LINK_OLD_EPOCH', epoch: 5 });
  });
});

describe('RegionLinks while the store takes no writes', () => {
  test('RegionLinks takes a node up for now, with revision 0', async () => {
    await using fixture = await start();
    fixture.failWrites(storeNoLeader('for this test'));
    const link = await fixture.connect(API);
    expect([link.revision, link.isOpen, fixture.links.nodes()]).toEqual([0, true, ['api-1']]);
    fixture.failWrites(null);
    expect(await link.sync(API)).toBeGreaterThan(0);
    expect(fixture.region.catalog.instances('api')).toHaveLength(1);
  });
});

describe('RegionLinks comparisons', () => {
  test('NodeLink.sync() of what is the same sends one digest and nothing else', async () => {
    await using fixture = await start();
    const [channel, far] = channelPair();
    fixture.links.accept(far);
    const sent: string[] = [];
    const noting: NodeChannel = {
      ...bind(channel),
      send: (message) => (sent.push(message.type), channel.send(message)),
    };
    const link = await NodeLink.connect({ channel: noting, node: 'api-1', epoch: 1, registration: API, choices: {} });
    await link.sync(API);
    await link.sync({ ...API, checks: [checkRecordOf({ id: 'up', serviceId: 'api', status: 'critical' })] });
    expect(sent).toEqual(['hello', 'give', 'sync', 'sync', 'details', 'give']);
    expect(fixture.region.catalog.instances('api')[0]?.checks.get('up')?.record.status).toBe('critical');
  });

  test('RegionLinks drops records that it did not want', async () => {
    await using fixture = await start();
    const [channel, far] = channelPair();
    fixture.links.accept(far);
    await NodeLink.connect({ channel, node: 'api-1', epoch: 1, registration: API, choices: {} });
    channel.send({ type: 'give', id: 77, instances: [instanceRecordOf({ service: 'smuggled' })], checks: [] });
    await turns();
    expect(fixture.region.catalog.instances('smuggled')).toEqual([]);
  });

  test.each([
    [1, 1],
    [128, 1],
    [129, 2],
    [256, 2],
    [257, 3],
    [10_000, 8],
  ])('syncFactorOf(%d) is %d', (nodes, factor) => {
    expect(syncFactorOf(nodes)).toBe(factor);
  });
});

describe('RegionLinks', () => {
  test('RegionLinks.greetAgain() ends every link, and thinks nobody lost', async () => {
    await using fixture = await start();
    const link = await fixture.connect(API);
    fixture.links.greetAgain('restored');
    await new Promise((resolve) => setImmediate(resolve));
    expect([link.isOpen, fixture.links.nodes(), fixture.log]).toEqual([false, [], ['+api-1']]);
    await fixture.connect(API);
    expect(fixture.links.nodes()).toEqual(['api-1']);
  });

  test('RegionLinks answers a ping, and closes on a second greeting', async () => {
    await using fixture = await start();
    const [channel, far] = channelPair();
    fixture.links.accept(far);
    const got: RegionMessage['type'][] = [];
    channel.onMessage(({ type }) => got.push(type));
    const hello = {
      type: 'hello',
      protocol: 2,
      node: 'api-1',
      epoch: 1,
      agent: '',
      record: API.node,
      digests: { instances: [], checks: [] },
      choices: {},
    } as const;
    channel.send(hello);
    await turns();
    channel.send({ type: 'ping' });
    await turns();
    expect(got).toEqual(['welcome', 'view', 'pong']);
    channel.send(hello);
    await turns();
    expect(fixture.log).toEqual(['+api-1', '-api-1: the node greeted twice']);
  });

  test('RegionLinks closes a link whose records never come, and remembers nothing of it', async () => {
    const clock = new FakeClock();
    await using fixture = await start(REGION, { clock });
    const { channel, closed } = await halfGreeted(fixture);
    expect(fixture.links.nodes()).toEqual([]);
    await clock.advance(60_000);
    expect(await closed).toBe('the records of the greeting did not come');
    channel.send({ type: 'give', id: 0, instances: [], checks: [] });
    await turns();
    expect([fixture.region.catalog.node('staging'), fixture.log]).toEqual([undefined, []]);
  });

  test.each<NodeMessage>([
    { type: 'receipt', receipt: { node: 'staging', kind: 'environment', revision: 1, outcome: 'applied' } },
    { type: 'report', id: 1, transitions: [{ type: 'alive', alive: { status: 'left', since: '' } }] },
    { type: 'sync', id: 1, digest: 'x' },
    { type: 'ask', id: 1, kind: 'slot', ask: {} },
  ])('RegionLinks takes no $type before it has welcomed whoever says it', async (message) => {
    await using fixture = await start();
    const heard: string[] = [];
    fixture.links.onQuestion('slot', (_ask, { from }) => {
      heard.push(from);
      return { granted: true, ahead: 0, holders: [] };
    });
    const { channel, closed } = await halfGreeted(fixture);
    channel.send(message);
    expect(await closed).toBe('it has not been welcomed yet');
    expect(heard).toEqual([]);
  });

  test('RegionLinks refuses an epoch after which nobody could greet any more', async () => {
    await using fixture = await start();
    for (const epoch of [Number.MAX_SAFE_INTEGER, 2 ** 50])
      await expect(fixture.connect(STAGING, { epoch, agent: 'a' })).rejects.toThrow('not of this time');
    const far = Date.now() + 900 * 365 * 86_400_000;
    (await fixture.connect(STAGING, { epoch: far, agent: 'a' })).close();
    await turns();
    expect((await fixture.connect(STAGING, { epoch: far + 1, agent: 'a' })).isOpen).toBe(true);
  });

  test('RegionLinks closes every link when it is disposed, and tells nobody that nodes are gone', async () => {
    const fixture = await start();
    const link = await fixture.connect(STAGING);
    await fixture[Symbol.asyncDispose]();
    expect(await link.closed).toBe('the server stops');
    await turns();
    expect(fixture.log).toEqual(['+staging']);
  });
});

/** A link that was greeted over, whose records are wanted and have not been sent. */
async function halfGreeted({ links }: Fixture): Promise<{ channel: NodeChannel; closed: Promise<string> }> {
  const [channel, far] = channelPair();
  links.accept(far);
  const closed = Promise.withResolvers<string>();
  channel.onClose(closed.resolve);
  const got: RegionMessage['type'][] = [];
  channel.onMessage(({ type }) => got.push(type));
  const digests = { instances: [['app-www', 'x'] as const], checks: [] };
  const { node: record } = STAGING;
  const node = record.name;
  channel.send({ type: 'hello', protocol: 2, node, epoch: 1, agent: 'a', record, digests, choices: {} });
  await turns();
  expect(got).toEqual(['want']);
  return { channel, closed: closed.promise };
}

/** The channel's methods as plain properties, so that one can be replaced. */
function bind(channel: NodeChannel): NodeChannel {
  return {
    send: (message) => channel.send(message),
    onMessage: (handle) => channel.onMessage(handle),
    onClose: (handle) => channel.onClose(handle),
    close: (reason) => channel.close(reason),
  };
}
