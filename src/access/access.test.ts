import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { MemoryStore, prefixRange, type Committed, type Conflict, type Txn } from '../store/index.ts';
import { AclState } from './acl-state.ts';
import { ANONYMOUS, GLOBAL_MANAGEMENT } from './builtin.ts';
import { aclTopic, secretHash } from './records.ts';
import { testAccess, tokenInput } from './testing.ts';

const SECRET = '5e6b2d4e-8c35-4b0e-9a41-0123456789ab';

/** A store that one state follows by hand: what `StoreFeed` does for projections, without its watch. */
async function start(options: Parameters<typeof testAccess>[3] = {}) {
  const clock = new FakeClock();
  const store = await MemoryStore.start({ clock, base: 1 });
  const state = new AclState();
  const topics: string[] = [];
  let revision = 1;
  const reload = async (): Promise<void> => {
    const { entries } = await store.read(prefixRange(''));
    state.load(entries, revision);
  };
  const feed = {
    get revision() {
      return revision;
    },
    applied: reload,
    async commit(txn: Txn): Promise<Committed | Conflict> {
      const outcome = await store.commit(txn);
      if (!outcome.ok) return outcome;
      revision = outcome.revision;
      const abort = new AbortController();
      for await (const batch of store.watch(prefixRange(''), revision - 1, abort.signal)) {
        const change = { topics: new Set<string>(), summary: [] };
        state.apply(batch, change);
        topics.push(...change.topics);
        break;
      }
      return outcome;
    },
  };
  const history = async () => {
    const { entries } = await store.read(prefixRange('hist/'));
    return entries.map(({ value }) => JSON.parse(value) as Record<string, unknown>);
  };
  return { ...testAccess(state, feed, clock, options), clock, store, topics, reload, history, feed };
}

const policy = { description: '', datacenters: [] };

describe('Access.authorityOf()', () => {
  test('without access control allows everything to everybody', async () => {
    const { access } = await start({ enabled: false });
    expect(access.authorityOf('whatever').allows('acl', '', 'write')).toBe(true);
    expect(access.defaultPolicy).toBe('allow');
  });

  test('refuses secrets that no token has', async () => {
    const { access } = await start();
    expect(() => access.authorityOf('nobody')).toThrow('ACL not found');
  });

  test('gives who shows no token what the anonymous one may', async () => {
    const { access, writes } = await start();
    expect(access.authorityOf('')).toMatchObject({ accessor: ANONYMOUS });
    expect(access.authorityOf('').allows('key', 'a', 'read')).toBe(false);
    await writes.putPolicy(undefined, { ...policy, name: 'open', rules: 'key_prefix "" { policy = "read" }' });
    await writes.updateToken(ANONYMOUS, tokenInput({ policies: [{ name: 'open' }] }));
    expect(access.authorityOf('').allows('key', 'a', 'read')).toBe(true);
    expect(access.authorityOf('anonymous').allows('key', 'a', 'read')).toBe(true);
  });

  test('goes by the agent’s default token where there is one', async () => {
    const { access, writes, tokens } = await start();
    await writes.ensureManagement('root');
    await tokens.set('default', 'root');
    expect(access.authorityOf('').id).toBe('');
    await tokens.set('default', '');
    expect(access.authorityOf('').accessor).toBe(ANONYMOUS);
  });

  test('DNS goes by its own token', async () => {
    const { access, writes, tokens } = await start();
    await writes.ensureManagement('root');
    expect(access.dnsAuthority().accessor).toBe(ANONYMOUS);
    await tokens.set('dns', 'root');
    expect(access.dnsAuthority().id).toBe('');
  });

  test('gives a management token everything, under its own name', async () => {
    const { access, writes, state } = await start();
    await writes.ensureManagement('root');
    await writes.ensureManagement('root');
    const authority = access.authorityOf('root');
    expect(authority.id).toBe('');
    expect(authority.accessor).toBe(state.tokenByHash(secretHash('root'))?.record.accessor);
    expect(authority.allows('acl', '', 'write')).toBe(true);
    expect(state.tokens()).toHaveLength(2);
  });

  test('sums up policies, roles and identities, and shares ids between tokens that may the same', async () => {
    const { access, writes } = await start();
    await writes.putPolicy(undefined, { ...policy, name: 'kv', rules: 'key_prefix "app/" { policy = "write" }' });
    await writes.putRole(undefined, {
      name: 'ops',
      description: '',
      policies: [{ name: 'kv' }],
      serviceIdentities: [{ serviceName: 'web', datacenters: [] }],
      nodeIdentities: [{ nodeName: 'n1', datacenter: 'aws' }],
    });
    const one = await writes.createToken(tokenInput({ roles: [{ name: 'ops' }] }));
    const two = await writes.createToken(tokenInput({ roles: [{ name: 'ops' }], policies: [{ name: 'kv' }] }));
    const authority = access.authorityOf(one.value.secret);
    const may = (what: Parameters<typeof authority.allows>): boolean => authority.allows(...what);
    expect(may(['key', 'app/x', 'write'])).toBe(true);
    expect(may(['service', 'web', 'write'])).toBe(true);
    expect(may(['service', 'web-sidecar-proxy', 'write'])).toBe(true);
    expect(may(['service', 'db', 'read'])).toBe(true);
    expect(may(['service', 'db', 'write'])).toBe(false);
    expect(may(['node', 'n1', 'write'])).toBe(true);
    expect(may(['node', 'n2', 'read'])).toBe(true);
    expect(may(['node', 'n2', 'write'])).toBe(false);
    expect(access.authorityOf(two.value.secret).id).toBe(authority.id);
    expect(access.authorityOf(two.value.secret).accessor).not.toBe(authority.accessor);
  });

  test('leaves out what is meant for other datacenters', async () => {
    const { access, writes } = await start();
    const far = { ...policy, name: 'far', rules: 'key_prefix "" { policy = "write" }', datacenters: ['far'] };
    await writes.putPolicy(undefined, far);
    const { value } = await writes.createToken(
      tokenInput({
        policies: [{ name: 'far' }],
        nodeIdentities: [{ nodeName: 'n1', datacenter: 'far' }],
        serviceIdentities: [{ serviceName: 'web', datacenters: ['far'] }],
      }),
    );
    const authority = access.authorityOf(value.secret);
    expect(authority.allows('key', 'a', 'read')).toBe(false);
    expect(authority.allows('node', 'n1', 'read')).toBe(false);
    expect(authority.allows('service', 'web', 'read')).toBe(false);
  });

  test('forgets at once: a changed or deleted policy, a deleted token', async () => {
    const { access, writes } = await start();
    const { value: made } = await writes.putPolicy(undefined, {
      ...policy,
      name: 'p',
      rules: 'key "a" { policy = "read" }',
    });
    const { value: token } = await writes.createToken(tokenInput({ policies: [{ name: 'p' }] }));
    const may = (): boolean => access.authorityOf(token.secret).allows('key', 'a', 'read');
    expect(may()).toBe(true);
    await writes.putPolicy(made.record.id, { ...policy, name: 'p', rules: 'key "a" { policy = "deny" }' });
    expect(may()).toBe(false);
    await writes.deletePolicy(made.record.id);
    expect(may()).toBe(false);
    await writes.deleteToken(token.token.record.accessor);
    expect(may).toThrow('ACL not found');
  });

  test('ends with the token’s time, which is deleted later', async () => {
    const { access, writes, clock, state } = await start();
    const { value } = await writes.createToken(tokenInput({ expiresInMs: 60_000 }));
    expect(access.authorityOf(value.secret).accessor).toBe(value.token.record.accessor);
    expect(await writes.deleteExpired()).toBe(0);
    await clock.advance(60_000);
    expect(() => access.authorityOf(value.secret)).toThrow('ACL not found');
    expect(state.tokens()).toHaveLength(2);
    expect(await writes.deleteExpired()).toBe(1);
    expect(state.tokens()).toHaveLength(1);
  });

  test('knows the recovery token without the region: this agent, and nothing else', async () => {
    const { access, tokens } = await start();
    await tokens.set('agent_recovery', 'rescue');
    const authority = access.authorityOf('rescue');
    expect(authority.allows('agent', 'n1', 'write')).toBe(true);
    expect(authority.allows('agent', 'n2', 'read')).toBe(false);
    expect(authority.allows('key', 'a', 'read')).toBe(false);
  });

  test('says in a denial whose token lacks what', async () => {
    const { access } = await start();
    const demand = (name: string) => (): void =>
      access.authorityOf('').demand(name === '' ? 'operator' : 'key', name, 'write');
    expect(demand('foo')).toThrow(
      `Permission denied: token with AccessorID '${ANONYMOUS}' lacks permission 'key:write' on "foo"`,
    );
    expect(demand('')).toThrow(`lacks permission 'operator:write'`);
  });
});

describe('Access.explain()', () => {
  test('names the rule that decides, of which policy and where', async () => {
    const { access, writes } = await start();
    await writes.putPolicy(undefined, { ...policy, name: 'p', rules: '\nkey_prefix "a" { policy = "read" }' });
    const { value } = await writes.createToken(tokenInput({ policies: [{ name: 'p' }] }));
    const { accessor } = value.token.record;
    expect(access.explain(accessor, 'key', 'abc', 'write')).toEqual({
      accessor,
      isManagement: false,
      allowed: false,
      rule: {
        resource: 'key',
        match: 'prefix',
        name: 'a',
        level: 'read',
        source: { from: 'policy p', place: { line: 2, column: 1 } },
      },
    });
    expect(access.explain(accessor, 'node', 'n', 'read')).toMatchObject({ allowed: false, rule: null });
    expect(() => access.explain('nobody', 'node', 'n', 'read')).toThrow('no token has the AccessorID');
  });
});

describe('AccessWrites', () => {
  test('keep secrets as their hash alone, in the store and in history', async () => {
    const { writes, store, history } = await start();
    const { value } = await writes.createToken(tokenInput({ secret: SECRET }), { author: 'token boss' });
    await writes.updateToken(value.token.record.accessor, tokenInput({ description: 'second' }), {
      author: 'token boss',
    });
    const { entries } = await store.read(prefixRange(''));
    expect(JSON.stringify(entries)).not.toContain(SECRET);
    expect(await history()).toMatchObject([
      { kind: 'acl', subject: `tok/${value.token.record.accessor}`, author: 'token boss', before: null },
      { before: expect.stringContaining(secretHash(SECRET)) },
    ]);
  });

  test('keep them under legacy, and still never in history', async () => {
    const { writes, store, history } = await start({ legacy: true });
    const { value } = await writes.createToken(tokenInput({ secret: SECRET }));
    await writes.deleteToken(value.token.record.accessor);
    expect(JSON.stringify(await history())).not.toContain(SECRET);
    expect(JSON.stringify((await store.read(prefixRange('acl/tok'))).entries)).toBe('[]');
  });

  test('bootstrap once, and again only with the reset index', async () => {
    const { writes, access } = await start();
    const first = await writes.bootstrap(undefined, () => Promise.resolve(0));
    expect(access.authorityOf(first.value.secret).id).toBe('');
    const reset = writes.resetIndex;
    await expect(writes.bootstrap(undefined, () => Promise.resolve(0))).rejects.toThrow(
      `no longer allowed (reset index: ${reset})`,
    );
    await expect(writes.bootstrap(undefined, () => Promise.resolve(reset + 1))).rejects.toThrow('no longer allowed');
    await writes.bootstrap(SECRET, () => Promise.resolve(reset));
    expect(access.authorityOf(SECRET).id).toBe('');
    expect(writes.resetIndex).toBeGreaterThan(reset);
  });

  test('a management token from the configuration counts as bootstrap', async () => {
    const { writes } = await start();
    await writes.ensureManagement('root');
    await expect(writes.bootstrap(undefined, () => Promise.resolve(0))).rejects.toThrow('no longer allowed');
  });

  test.each([
    ['a rule that is none', { rules: 'key "a" {' }, /Failed to parse ACL rules: 1:\d+/],
    ['no name', { name: '' }, 'no Name is set'],
    ['a name with blanks', { name: 'a b' }, 'invalid Name'],
    ['a name that is taken', { name: 'taken' }, 'A Policy with Name "taken" already exists'],
    ['the name of what is built in', { name: 'global-management' }, 'already exists'],
  ])('refuse a policy with %s', async (_name, part, message) => {
    const { writes, state } = await start();
    await writes.putPolicy(undefined, { ...policy, name: 'taken', rules: '' });
    await expect(writes.putPolicy(undefined, { ...policy, name: 'p', rules: '', ...part })).rejects.toThrow(message);
    expect(state.policies()).toHaveLength(3);
  });

  test.each([
    ['an unknown policy by name', { policies: [{ name: 'x' }] }, 'No such ACL policy with name "x"'],
    ['an unknown policy by id', { policies: [{ id: SECRET }] }, `No such ACL policy with ID "${SECRET}"`],
    ['an unknown role', { roles: [{ name: 'x' }] }, 'No such ACL role with name "x"'],
    ['an accessor that is no UUID', { accessor: 'x' }, 'AccessorID is not a valid UUID'],
    ['a secret that is no UUID', { secret: 'hunter2' }, 'SecretID is not a valid UUID'],
    ['a life of a second', { expiresInMs: 1_000 }, 'less than 1m0s'],
    ['a life of a week', { expiresInMs: 604_800_000 }, 'more than 24h0m0s'],
    ['two ends', { expiresInMs: 60_000, expiresAt: '2030-01-01T00:00:00Z' }, 'cannot both be set'],
    ['an end that is no time', { expiresAt: 'tomorrow' }, 'is no time'],
    ['a service that is no name', { serviceIdentities: [{ serviceName: 'A B', datacenters: [] }] }, 'invalid name'],
    ['a node without a datacenter', { nodeIdentities: [{ nodeName: 'n', datacenter: '' }] }, 'has no Datacenter'],
  ])('refuse a token with %s', async (_name, part, message) => {
    const { writes, state } = await start();
    const refused = writes.createToken(tokenInput(part));
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow('hunter2');
    expect(state.tokens()).toHaveLength(1);
  });

  test('refuse the same secret or accessor twice, and to delete the anonymous token, one’s own and what is built in', async () => {
    const { writes } = await start();
    const { value } = await writes.createToken(tokenInput({ secret: SECRET }));
    const { accessor } = value.token.record;
    await expect(writes.createToken(tokenInput({ secret: SECRET }))).rejects.toThrow('SecretID is already in use');
    await expect(writes.createToken(tokenInput({ accessor }))).rejects.toThrow('AccessorID is already in use');
    await expect(writes.deleteToken(ANONYMOUS)).rejects.toThrow('not permitted on the anonymous token');
    await expect(writes.deleteToken(accessor, { accessor })).rejects.toThrow('authorization token');
    await expect(writes.deletePolicy(GLOBAL_MANAGEMENT)).rejects.toThrow('builtin global-management policy');
    await expect(writes.putPolicy(GLOBAL_MANAGEMENT, { ...policy, name: 'x', rules: '' })).rejects.toThrow('builtin');
  });

  test('changes raise the index of their kind alone, deletions too, also after everything was read anew', async () => {
    const { writes, state, topics, reload } = await start();
    const { value: made } = await writes.putPolicy(undefined, { ...policy, name: 'p', rules: '' });
    expect(topics).toEqual([aclTopic.policies]);
    const before = state.index(aclTopic.policies);
    expect([state.index(aclTopic.tokens), state.index(aclTopic.roles)]).toEqual([1, 1]);
    const { revision } = await writes.deletePolicy(made.record.id);
    expect(state.index(aclTopic.policies)).toBe(revision);
    expect(revision).toBeGreaterThan(before);
    await reload();
    expect(state.index(aclTopic.policies)).toBe(revision);
    expect(state.index(aclTopic.tokens)).toBe(1);
    expect(state.policy(made.record.id)).toBeUndefined();
  });

  test('a change that another server was faster with is decided anew', async () => {
    const { writes, feed } = await start();
    const commit = feed.commit.bind(feed);
    let tries = 0;
    feed.commit = (txn) =>
      ++tries === 1 ? commit({ ...txn, compares: [{ key: 'acl/turn', modRevision: 99 }] }) : commit(txn);
    await writes.putPolicy(undefined, { ...policy, name: 'p', rules: '' });
    expect(tries).toBe(2);
  });
});
