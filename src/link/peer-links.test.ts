import { describe, expect, test } from 'vitest';
import { Changes } from '../change/index.ts';
import { FakeClock, TIMING } from '../lib/index.ts';
import type { ServerRecord } from '../registry/index.ts';
import { startTestRegistry } from '../registry/testing.ts';
import { memoryChannels } from './channel-pair.ts';
import { PeerHearer, type HearerChannel } from './peer-hearer.ts';
import { isProven, PeerKey, type PeerClaim } from './peer-key.ts';
import {
  parsePeerMessage,
  parsePeerReply,
  STANDINGS_PER_MESSAGE,
  type PeerMessage,
  type PeerReply,
} from './peer-messages.ts';
import { PeerOutbox, type Outgoing } from './peer-outbox.ts';

const CLAIM: PeerClaim = { nonce: 'n', server: 's2', incarnation: 'i2', to: 's1', toIncarnation: 'i1' };

const recordOf = (name: string, key: PeerKey): ServerRecord => ({
  name,
  address: '127.0.0.1',
  httpPort: 1,
  version: '0',
  datacenter: 'aws',
  protocol: 1,
  incarnation: `i${name.slice(1)}`,
  linkKey: key.publicKey,
});

describe('isProven()', () => {
  const key = new PeerKey();
  const proof = key.prove(CLAIM);

  test('isProven() is true for what was signed with the key of which this is the public half', () => {
    expect(isProven(key.publicKey, CLAIM, proof)).toBe(true);
  });

  test.each<[string, Partial<PeerClaim>]>([
    ['another challenge', { nonce: 'm' }],
    ['another server', { server: 's3' }],
    ['another start of it', { incarnation: 'i3' }],
    ['another listener', { to: 's3' }],
    ['another start of the listener', { toIncarnation: 'i9' }],
  ])('isProven() is false for %s', (_what, other) => {
    expect(isProven(key.publicKey, { ...CLAIM, ...other }, proof)).toBe(false);
  });

  test.each(['', 'x', new PeerKey().publicKey])('isProven() is false by the key %s', (publicKey) => {
    expect(isProven(publicKey, CLAIM, proof)).toBe(false);
  });
});

describe('PeerHearer.accept()', () => {
  interface Fixture extends AsyncDisposable {
    readonly hearer: PeerHearer;
    readonly replies: PeerReply[];
    readonly closed: string[];
    readonly clock: FakeClock;
    /** What the other end says; the greeting is made from the challenge. */
    say(message: PeerMessage): Promise<void>;
    greet(more?: Partial<Extract<PeerMessage, { type: 'greeting' }>>, key?: PeerKey): Promise<void>;
    readonly running: ServerRecord[];
  }

  async function start(): Promise<Fixture> {
    const clock = new FakeClock();
    const [own, other] = [new PeerKey(), new PeerKey()];
    const region = await startTestRegistry({ clock });
    const changes = await Changes.start({ feed: region.feed, catalog: region.catalog, clock });
    const running = [recordOf('s1', own), recordOf('s2', other)];
    const hearer = new PeerHearer({
      self: { server: 's1', incarnation: 'i1', key: own, consumers: [] },
      find: (name) => running.find((one) => one.name === name),
      changes,
      onRenewals: () => undefined,
      onChange: () => undefined,
      timing: TIMING.lan,
      clock,
      warn: () => undefined,
    });
    const [near, far] = memoryChannels<PeerReply, PeerMessage>();
    const [replies, closed]: [PeerReply[], string[]] = [[], []];
    near.onMessage((reply) => replies.push(reply));
    near.onClose((reason) => closed.push(reason));
    hearer.accept(far as HearerChannel);
    await clock.advance(0);
    const say = async (message: PeerMessage): Promise<void> => {
      near.send(message);
      await clock.advance(0);
    };
    return {
      hearer,
      replies,
      closed,
      clock,
      running,
      say,
      greet(more = {}, key = other) {
        const { nonce } = replies[0] as Extract<PeerReply, { type: 'challenge' }>;
        const proof = key.prove({ ...CLAIM, nonce });
        const consumers = ['dns'] as const;
        return say({ type: 'greeting', protocol: 1, server: 's2', incarnation: 'i2', proof, consumers, ...more });
      },
      async [Symbol.asyncDispose]() {
        hearer[Symbol.dispose]();
        await changes[Symbol.asyncDispose]();
        await region[Symbol.asyncDispose]();
      },
    };
  }

  test('PeerHearer.accept() hears a server that proves to be the one of its record', async () => {
    await using fixture = await start();
    await fixture.greet();
    expect(fixture.replies.map(({ type }) => type)).toEqual(['challenge', 'welcome']);
    await fixture.say({ type: 'applied', revision: 7 });
    expect(fixture.hearer.servers()).toMatchObject([{ server: 's2', revision: 7, isTold: false }]);
    await fixture.say({ type: 'told' });
    await fixture.say({ type: 'other' });
    expect(fixture.hearer.get('s2')?.isTold).toBe(true);
  });

  test.each<[string, object, string]>([
    ['another protocol', { protocol: 2 }, 'LINK_PROTOCOL'],
    ['a server that does not run', { server: 's9' }, 'LINK_UNKNOWN_SERVER'],
    ['an earlier start of the server', { incarnation: 'i0' }, 'LINK_UNKNOWN_SERVER'],
    ['a proof that is none', { proof: 'AAAA' }, 'LINK_UNPROVEN'],
  ])('PeerHearer.accept() refuses %s', async (_what, more, code) => {
    await using fixture = await start();
    await fixture.greet(more);
    expect(fixture.replies.at(-1)).toMatchObject({ type: 'refused', code });
    expect(fixture.closed).toHaveLength(1);
    expect(fixture.hearer.servers()).toEqual([]);
  });

  test('PeerHearer.accept() refuses whoever has another key than that of the record', async () => {
    await using fixture = await start();
    await fixture.greet({}, new PeerKey());
    expect(fixture.replies.at(-1)).toMatchObject({ type: 'refused', code: 'LINK_UNPROVEN' });
  });

  test('PeerHearer.accept() refuses what is said before a greeting, and takes none of it', async () => {
    await using fixture = await start();
    await fixture.say({ type: 'applied', revision: 7 });
    expect(fixture.replies.at(-1)).toMatchObject({ type: 'refused', code: 'LINK_UNPROVEN' });
  });

  test('PeerHearer.accept() ends a link on which no greeting comes', async () => {
    await using fixture = await start();
    await fixture.clock.advance(TIMING.lan.suspectedAfterMs);
    expect(fixture.closed).toEqual(['no greeting came']);
  });

  test('PeerHearer.dropGone() ends the link of a server whose record is gone', async () => {
    await using fixture = await start();
    await fixture.greet();
    fixture.running.pop();
    fixture.hearer.dropGone();
    await fixture.clock.advance(0);
    expect(fixture.closed).toEqual(['this server is not among those that run']);
    expect(fixture.hearer.servers()).toEqual([]);
  });
});

describe('PeerOutbox', () => {
  test('PeerOutbox tells the first thing at once, and then at most ten times a second, each consumer once', async () => {
    const clock = new FakeClock();
    const told: [number, Outgoing][] = [];
    using outbox = new PeerOutbox({ clock, flush: (outgoing) => told.push([clock.now(), outgoing]) });
    for (let revision = 1; revision <= 250; revision++) {
      outbox.heard({ node: 'n1', kind: 'environment' }, [[revision, 1]]);
      outbox.renewed('s');
      await clock.advance(4);
    }
    await clock.advance(200);
    expect(told.length).toBeGreaterThan(9);
    expect(told.length).toBeLessThanOrEqual(12);
    expect(told[0]?.[0]).toBe(0);
    for (const [, { consumers, sessions }] of told) expect([consumers.length, sessions]).toEqual([1, ['s']]);
  });
});

describe('parsePeerMessage()', () => {
  test.each<[string, unknown]>([
    ['a later version’s message', { type: 'news', of: [1] }],
    ['a revision', { type: 'applied', revision: 3 }],
  ])('parsePeerMessage() takes %s', (_what, message) => {
    expect(parsePeerMessage(message).type).toMatch(/other|applied/);
  });

  test.each<[string, unknown]>([
    ['no object', 7],
    ['no type', {}],
    ['a revision that is none', { type: 'applied', revision: -1 }],
    ['too many standings', { type: 'standings', standings: Array(STANDINGS_PER_MESSAGE + 1).fill({}) }],
    [
      'an outcome that is none',
      { type: 'standings', standings: [{ node: 'n', kind: 'dns', applied: 1, outcome: 'x', took: [], trouble: null }] },
    ],
  ])('parsePeerMessage() refuses %s', (_what, message) => {
    expect(() => parsePeerMessage(message)).toThrow();
  });

  test('parsePeerReply() takes a challenge and refuses one without a nonce', () => {
    const challenge = { type: 'challenge', protocol: 1, server: 's1', incarnation: 'i1', nonce: 'n' };
    expect(parsePeerReply(challenge)).toEqual(challenge);
    expect(() => parsePeerReply({ ...challenge, nonce: undefined })).toThrow();
  });
});
