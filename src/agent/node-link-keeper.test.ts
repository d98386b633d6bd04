import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Changes, type Receipt } from '../change/index.ts';
import { FakeClock, TIMING } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import { channelPair, RegionLinks } from '../link/index.ts';
import type { NodeAuthority, NodeChannel } from '../link/index.ts';
import type { CheckRecord, NodeRegistration } from '../registry/index.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { TestRegistry } from '../registry/testing.ts';
import { noRegion } from './errors.ts';
import { storeFailed, storeFull, storeNoLeader } from '../store/index.ts';
import { NodeLinkKeeper, type NodeLinkKeeperOptions } from './node-link-keeper.ts';

/** A clock whose wall time can be set, as an operator or NTP does. */
class JumpingClock extends FakeClock {
  jumpMs = 0;

  override wall(): number {
    return super.wall() + this.jumpMs;
  }
}

/** Lets a test hold a server's writes, and make them fail. */
class Gate implements NodeAuthority {
  readonly #registry: TestRegistry['registry'];
  waits: Promise<void> = Promise.resolve();
  failure: Error | null = null;

  constructor(registry: TestRegistry['registry']) {
    this.#registry = registry;
  }

  async syncNode(...args: Parameters<NodeAuthority['syncNode']>): Promise<number> {
    await this.waits;
    if (this.failure !== null) throw this.failure;
    return this.#registry.syncNode(...args);
  }

  held(node: string): NodeRegistration | null {
    return this.#registry.held(node);
  }

  epochOf(node: string): number | null {
    return this.#registry.epochOf(node);
  }

  async report(...args: Parameters<NodeAuthority['report']>): Promise<number> {
    await this.waits;
    if (this.failure !== null) throw this.failure;
    return this.#registry.report(...args);
  }
}

class Node implements AsyncDisposable {
  status: CheckRecord['status'] = 'unknown';
  readonly warnings: string[] = [];
  readonly notes: string[] = [];
  readonly cuts: (string | null)[] = [];
  readonly keeper: NodeLinkKeeper;
  channel: NodeChannel | undefined;

  constructor(fixture: Fixture, more: Partial<NodeLinkKeeperOptions> = {}) {
    this.keeper = new NodeLinkKeeper({
      node: 'api-1',
      connect: () => (this.channel = fixture.connect()),
      stateDirectory: fixture.directory,
      timing: TIMING.lan,
      clock: fixture.clock,
      random: () => 0.5,
      warn: (text) => this.warnings.push(text),
      info: (text) => this.notes.push(text),
      ...more,
    });
  }

  registration = (): NodeRegistration => ({
    node: nodeRecordOf({ name: 'api-1' }),
    instances: [instanceRecordOf({ service: 'api', port: 1100 })],
    checks: [this.check()],
  });

  check = (): CheckRecord => checkRecordOf({ id: 'up', serviceId: 'api', status: this.status });

  open(): Promise<void> {
    return this.keeper.open({
      registration: this.registration,
      onView: () => {},
      onOrder: () => {},
      onCut: (reason) => this.cuts.push(reason),
    });
  }

  /** The check is something else now: told as an agent tells it. */
  become(status: CheckRecord['status']): Promise<number> {
    this.status = status;
    return this.keeper.report([{ type: 'check', check: this.check() }]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.keeper[Symbol.asyncDispose]();
  }
}

interface Fixture extends AsyncDisposable {
  readonly directory: string;
  readonly clock: JumpingClock;
  readonly region: TestRegistry;
  readonly gate: Gate;
  readonly receipts: readonly Receipt[];
  connect(): NodeChannel;
  /** What the region holds of the check. */
  held(): string | undefined;
}

async function startRegion(): Promise<Fixture> {
  const clock = new JumpingClock();
  const stack = new AsyncDisposableStack();
  const region = stack.use(await startTestRegistry({ clock: clock as Clock }));
  const changes = stack.use(await Changes.start({ feed: region.feed, catalog: region.catalog, clock }));
  const gate = new Gate(region.registry);
  const links = stack.use(await RegionLinks.start({ server: 'server-1', authority: gate, changes }));
  const receipts: Receipt[] = [];
  const connect = (): NodeChannel => {
    const [near, far] = channelPair();
    links.accept({
      send: (message) => far.send(message),
      onMessage: (handle) =>
        far.onMessage((message) => {
          if (message.type === 'receipt') receipts.push(message.receipt);
          handle(message);
        }),
      onClose: (handle) => far.onClose(handle),
      close: (reason) => far.close(reason),
    });
    return near;
  };
  const held = (): string | undefined =>
    region.catalog.node('api-1')?.instances.get('api')?.checks.get('up')?.record.status;
  return { directory, clock, region, gate, receipts, connect, held, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-link-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('NodeLinkKeeper.report()', () => {
  test('NodeLinkKeeper.report() loses nothing that becomes different while the greeting is under way', async () => {
    await using fixture = await startRegion();
    await using node = new Node(fixture);
    const gate = Promise.withResolvers<void>();
    fixture.gate.waits = gate.promise;
    const opened = node.open();
    await fixture.clock.advance(10);
    const told = node.become('passing');
    gate.resolve();
    await opened;
    await told;
    expect(fixture.held()).toBe('passing');
  });

  test('NodeLinkKeeper.report() resolves with a revision at which what was said without a link is so', async () => {
    await using fixture = await startRegion();
    await using node = new Node(fixture);
    await node.open();
    node.channel?.close('cut');
    await fixture.clock.advance(0);
    const told = [node.become('critical'), node.become('passing')];
    await fixture.clock.advance(TIMING.lan.reconnectJitterMs);
    const revisions = await Promise.all(told);
    expect(fixture.held()).toBe('passing');
    expect(revisions).toEqual([fixture.region.feed.revision, fixture.region.feed.revision]);
  });

  test('NodeLinkKeeper.report() is made good soon when the region could not write it', async () => {
    await using fixture = await startRegion();
    await using node = new Node(fixture);
    await node.open();
    await node.become('passing');
    fixture.gate.failure = new Error('the store is busy');
    await expect(node.become('critical')).rejects.toThrow('the store is busy');
    fixture.gate.failure = null;
    await fixture.clock.advance(3_000);
    expect(fixture.held()).toBe('critical');
  });
});

describe('NodeLinkKeeper without a store that takes writes', () => {
  test.each([storeFailed('the disk is gone'), storeFull()])(
    'NodeLinkKeeper.report() goes on, and is made good soon after: $code',
    async (failure) => {
      await using fixture = await startRegion();
      await using node = new Node(fixture);
      await node.open();
      await node.become('passing');
      fixture.gate.failure = failure;
      expect(await node.become('critical')).toBe(0);
      expect(fixture.held()).toBe('passing');
      fixture.gate.failure = null;
      await fixture.clock.advance(3_000);
      expect(fixture.held()).toBe('critical');
    },
  );
});

describe('NodeLinkKeeper epochs', () => {
  test('NodeLinkKeeper connects again after the clock was set back', async () => {
    await using fixture = await startRegion();
    await using node = new Node(fixture);
    await node.open();
    fixture.clock.jumpMs = -3_600_000;
    node.channel?.close('cut');
    await fixture.clock.advance(20_000);
    await node.become('passing');
    expect(fixture.held()).toBe('passing');
    expect(node.warnings).toEqual(['the link to the region is gone: cut']);
    expect(node.notes).toEqual([expect.stringMatching(/^linked to the region, at server \S+$/)]);
  });

  test('NodeLinkKeeper.open() is taken up when the clock was set back between two starts of the agent', async () => {
    await using fixture = await startRegion();
    {
      await using before = new Node(fixture);
      await before.open();
    }
    fixture.clock.jumpMs = -3_600_000;
    await using node = new Node(fixture);
    await node.open();
    await node.become('passing');
    expect(fixture.held()).toBe('passing');
  });

  test('NodeLinkKeeper.open() silences a start before it, also within the same millisecond', async () => {
    await using fixture = await startRegion();
    await using before = new Node(fixture);
    await before.open();
    await using node = new Node(fixture);
    await node.open();
    expect(fixture.region.catalog.nodeState('api-1')?.owner?.epoch).toBe(Math.floor(fixture.clock.wall()) + 1);
  });
});

describe('NodeLinkKeeper cuts', () => {
  test('NodeLinkKeeper tells why the link is cut, and when it is there again', async () => {
    await using fixture = await startRegion();
    await using node = new Node(fixture);
    await node.open();
    node.channel?.close('the server stops');
    await fixture.clock.advance(0);
    expect(node.cuts.at(-1)).toContain('the server stops');
    await fixture.clock.advance(20_000);
    expect(node.cuts.at(-1)).toBe(null);
  });
});

describe('NodeLinkKeeper without a server to link to', () => {
  test('NodeLinkKeeper.open() and report() do not wait for one, and tell all when there is one', async () => {
    await using fixture = await startRegion();
    let isThere = false;
    const connect = (): NodeChannel => {
      if (!isThere) throw noRegion(['10.0.0.9'], '');
      return fixture.connect();
    };
    await using node = new Node({ ...fixture, connect });
    await node.open();
    expect(await node.become('passing')).toBe(0);
    expect(node.warnings).toEqual([expect.stringContaining('10.0.0.9')]);
    expect(node.cuts).toEqual([expect.stringContaining('no server of the region')]);
    await fixture.clock.advance(60_000);
    expect(await node.become('warning')).toBe(0);
    expect(node.warnings).toHaveLength(1);
    expect(fixture.held()).toBeUndefined();
    isThere = true;
    await fixture.clock.advance(60_000);
    expect(fixture.held()).toBe('warning');
    expect(node.cuts.at(-1)).toBeNull();
    expect(await node.become('passing')).toBeGreaterThan(0);
    expect(fixture.held()).toBe('passing');
  });

  test('NodeLinkKeeper.open() throws what else keeps it from linking', async () => {
    await using fixture = await startRegion();
    const connect = (): NodeChannel => {
      throw new Error('no memory');
    };
    await using node = new Node({ ...fixture, connect });
    await expect(node.open()).rejects.toThrow('no memory');
  });
});

describe('NodeLinkKeeper of a region elsewhere', () => {
  const elsewhere = { isElsewhere: true };

  test('NodeLinkKeeper.open() resolves when no server takes the node, says why, and tries ever later', async () => {
    await using fixture = await startRegion();
    await using holder = new Node(fixture);
    await holder.open();
    let tries = 0;
    const other = path.join(fixture.directory, 'other');
    const connect = (): NodeChannel => {
      tries++;
      return fixture.connect();
    };
    await using node = new Node(fixture, { ...elsewhere, stateDirectory: other, connect });
    await node.open();
    expect(node.warnings).toEqual([expect.stringContaining('node name "api-1" is held by the agent at')]);
    expect(await node.become('critical')).toBe(0);
    await fixture.clock.advance(300_000);
    expect(tries).toBeLessThan(20);
    expect(node.warnings.length).toBeLessThanOrEqual(2);
    expect(fixture.held()).not.toBe('critical');
  });

  test('NodeLinkKeeper.report() is answered soon while nobody answers, and told when somebody does', async () => {
    await using fixture = await startRegion();
    await using node = new Node(fixture, elsewhere);
    await node.open();
    const silent = Promise.withResolvers<void>();
    fixture.gate.waits = silent.promise;
    const told = node.become('critical');
    await fixture.clock.advance(1_000);
    expect(await told).toBe(0);
    silent.resolve();
    await fixture.clock.advance(0);
    expect(fixture.held()).toBe('critical');
  });

  test('NodeLinkKeeper.report() does not wait while it is cut off from all servers', async () => {
    await using fixture = await startRegion();
    let isThere = true;
    const connect = (): NodeChannel => {
      if (!isThere) throw noRegion(['10.0.0.9'], 'connect ECONNREFUSED');
      return (node.channel = fixture.connect());
    };
    await using node: Node = new Node(fixture, { ...elsewhere, connect });
    await node.open();
    isThere = false;
    node.channel?.close('the server is gone');
    await fixture.clock.advance(10_000);
    expect(await node.become('critical')).toBe(0);
    expect(fixture.held()).not.toBe('critical');
    isThere = true;
    await fixture.clock.advance(5_000);
    expect(fixture.held()).toBe('critical');
  });

  test('NodeLinkKeeper tries another server soon after a loss, and gives each consumer’s last receipt again', async () => {
    await using fixture = await startRegion();
    await using node = new Node(fixture, { ...elsewhere, random: () => 0.99 });
    await node.open();
    node.keeper.receipt({ kind: 'balancer', revision: 7, outcome: 'applied' });
    await fixture.clock.advance(0);
    const receipts = fixture.receipts.length;
    node.channel?.close('the server is gone');
    await fixture.clock.advance(TIMING.lan.reconnectJitterMs / 2);
    expect(node.cuts.at(-1)).toBeNull();
    expect(fixture.receipts.slice(receipts)).toMatchObject([{ kind: 'balancer', revision: 7 }]);
  });

  test('NodeLinkKeeper greets above an epoch that its clock was set back behind', async () => {
    await using fixture = await startRegion();
    await fixture.region.registry.syncNode(
      { node: nodeRecordOf({ name: 'api-1' }), instances: [], checks: [] },
      Date.UTC(2030, 0, 1),
    );
    await using node = new Node(fixture, elsewhere);
    await node.open();
    await fixture.clock.advance(5_000);
    expect(await node.become('passing')).toBeGreaterThan(0);
    expect(fixture.region.catalog.nodeState('api-1')?.owner?.epoch).toBe(Date.UTC(2030, 0, 1) + 1);
  });

  test('NodeLinkKeeper tells a region again that took it up while its store took no writes', async () => {
    await using fixture = await startRegion();
    fixture.gate.failure = storeNoLeader('for this test');
    await using node = new Node(fixture, elsewhere);
    await node.open();
    expect(await node.become('passing')).toBe(0);
    expect(fixture.region.catalog.node('api-1')).toBeUndefined();
    fixture.gate.failure = null;
    await fixture.clock.advance(8_000);
    expect(fixture.held()).toBe('passing');
  });
});
