import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './cli-region.ts';
import { ConsulAgent, ROOT_TOKEN } from './consul-agent.ts';

/** Every kind of blocking read, over few names, so that random changes meet them. */
const READS = [
  'catalog/nodes',
  'catalog/nodes?filter=Meta.rack==7',
  'catalog/services',
  'catalog/services?node-meta=rack:7',
  'catalog/service/web',
  'catalog/service/web?tag=a',
  'catalog/service/never',
  'catalog/node/n1',
  'catalog/node/ext',
  'catalog/node-services/n1',
  'health/node/n1',
  'health/node/ext',
  'health/checks/web',
  'health/state/any',
  'health/state/critical',
  'health/service/web',
  'health/service/web?passing',
  'health/service/web?filter="b" in Service.Tags',
  'kv/a',
  'kv/a/b?raw',
  'kv/never',
  'kv/a?recurse',
  'kv/?keys',
  'kv/a/?keys&separator=/',
  'session/list',
  'session/node/n1',
  'event/list',
  'event/list?name=deploy',
  'session/node/ext',
  'catalog/service/web?filter=ServicePort==1',
  'catalog/node/n1?filter=Service==web',
  'catalog/connect/web',
  'health/checks/web?node-meta=rack:8',
  'health/connect/web',
  'coordinate/nodes',
  'coordinate/node/ext',
  'acl/policies',
  'acl/policy/name/p-x',
  'acl/roles',
  'acl/role/name/r-x',
  'acl/tokens',
  'acl/token/self',
] as const;

/** Reads of what never is have nothing to wake for. */
const NEVER_CHANGE: readonly string[] = [
  'catalog/service/never',
  'kv/never',
  'catalog/connect/web',
  'health/connect/web',
  'acl/token/self',
];

const WAIT_MS = 60_000;
const headers = { 'X-Consul-Token': ROOT_TOKEN };

let agent: ConsulAgent;
beforeAll(async () => {
  const configuration = {
    node_name: 'n1',
    node_meta: { rack: '7' },
    timing: 'local',
    acl: { enabled: true, default_policy: 'allow', tokens: { initial_management: ROOT_TOKEN } },
  };
  agent = await ConsulAgent.start({ flags: ['-server'], configuration });
});
afterAll(() => agent?.[Symbol.asyncDispose]());

interface Reply {
  readonly status: number;
  readonly index: string;
  readonly body: string;
}

async function ask(path: string, method = 'GET', body?: unknown, signal?: AbortSignal): Promise<Reply> {
  const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`${agent.url}/v1/${path}`, {
    method,
    headers,
    ...payload,
    ...(signal ? { signal } : {}),
  });
  return { status: response.status, index: response.headers.get('x-consul-index') ?? '', body: await response.text() };
}

/** An empty value and none have the same body. */
const isSame = (a: Reply, b: Reply): boolean => a.body === b.body && a.status === b.status;

/** A client that asks again and again with the index it was told, as every library does; it reconnects when it is cut off. */
class Follower {
  readonly path: string;
  last: Reply = { status: 0, index: '0', body: '' };
  /** Counts what it asks. */
  asks = 0;
  /** The ask that the server is known to hold. */
  held = 0;
  /** How often the server woke it with the answer that it had. */
  wokenForNothing = 0;
  /** How often its answer was another one. */
  changes = 0;
  wakes = 0;

  constructor(path: string) {
    this.path = path;
  }

  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.asks++;
        const joined = `${this.path}${this.path.includes('?') ? '&' : '?'}index=${this.last.index}&wait=${WAIT_MS}ms`;
        const reply = await ask(joined, 'GET', undefined, signal);
        if (reply.status !== 200 && reply.status !== 404)
          throw new Error(`${this.path}: ${reply.status} ${reply.body}`);
        this.#took(reply);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof TypeError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** What changes between two asks and back is told at once, with the same body and a newer index: that is no wake. */
  #took(reply: Reply): void {
    this.wakes++;
    if (!isSame(reply, this.last)) this.changes++;
    else if (this.held === this.asks) this.wokenForNothing++;
    this.last = reply;
  }
}

/** Resolves once the server holds what every one of them asked, so that from here on only a change can wake them. */
async function allHeld(followers: readonly Follower[]): Promise<void> {
  await until(async () => {
    const asked = followers.map((one) => one.asks);
    const { Gauges } = JSON.parse((await ask('agent/metrics')).body) as { Gauges: { Name: string; Value: number }[] };
    const blocking = Gauges.find(({ Name }) => Name === 'consul.rpc.queries_blocking')?.Value;
    const isHeld = blocking === followers.length && followers.every((one, at) => one.asks === asked[at]);
    if (isHeld) for (const one of followers) one.held = one.asks;
    return isHeld;
  });
}

const name = fc.constantFrom('web', 'db');
const id = fc.constantFrom('s1', 's2', 's3');
const tags = fc.subarray(['a', 'b']);
const key = fc.constantFrom('a', 'a/b', 'a/b/c', 'b');
const word = fc.constantFrom('x', 'y');

type Change = readonly [method: string, path: string, body?: unknown];

const change: fc.Arbitrary<Change> = fc.oneof(
  fc
    .record({ Name: name, ID: id, Tags: tags, Port: fc.nat(3), Check: fc.constant({ TTL: '1h' }) })
    .map((body): Change => ['PUT', 'agent/service/register', body]),
  fc
    .tuple(fc.constantFrom('pass', 'warn', 'fail'), id)
    .map(([verb, one]): Change => ['PUT', `agent/check/${verb}/service:${one}`]),
  id.map((one): Change => ['PUT', `agent/service/deregister/${one}`]),
  fc.tuple(id, fc.boolean()).map(([one, on]): Change => ['PUT', `agent/service/maintenance/${one}?enable=${on}`]),
  fc.boolean().map((on): Change => ['PUT', `agent/maintenance?enable=${on}`]),
  fc.tuple(name, word, fc.constantFrom('7', '8')).map(([service, address, rack]): Change => [
    'PUT',
    'catalog/register',
    {
      Node: 'ext',
      Address: `10.0.0.${address === 'x' ? 1 : 2}`,
      NodeMeta: { rack },
      Service: { Service: service, Port: 1 },
      Check: { Name: 'c', ServiceID: service, Status: rack === '7' ? 'passing' : 'critical' },
    },
  ]),
  fc
    .constantFrom({ Node: 'ext' }, { Node: 'ext', ServiceID: 'web' }, { Node: 'ext', CheckID: 'c' })
    .map((body): Change => ['PUT', 'catalog/deregister', body]),
  fc.tuple(key, word).map(([one, value]): Change => ['PUT', `kv/${one}`, value]),
  fc.tuple(key, fc.constantFrom('', '?recurse')).map(([one, how]): Change => ['DELETE', `kv/${one}${how}`]),
  fc.constant<Change>(['PUT', 'session/create', { Behavior: 'delete', LockDelay: '0s', Checks: [] }]),
  fc.constant<Change>(['PUT', 'session/destroy/']),
  fc.constant<Change>(['PUT', 'kv/a/b?acquire=']),
  fc.constantFrom('deploy', 'other').map((one): Change => ['PUT', `event/fire/${one}`, 'payload']),
  word.map((one): Change => ['PUT', 'acl/policy', { Name: `p-${one}`, Rules: `key "${one}" { policy = "read" }` }]),
  word.map((one): Change => ['PUT', 'acl/role', { Name: `r-${one}`, NodeIdentities: [] }]),
  fc.constantFrom('policy', 'role', 'token').map((kind): Change => ['DELETE', `acl/${kind}/`]),
  fc.constant<Change>(['PUT', 'acl/token', { Description: 'one' }]),
  fc
    .tuple(key, word, key)
    .map(([one, value, other]): Change => [
      'PUT',
      'txn',
      [
        { KV: { Verb: 'set', Key: one, Value: Buffer.from(value).toString('base64') } },
        { KV: { Verb: 'delete-tree', Key: other } },
        { Node: { Verb: 'set', Node: { Node: 'ext', Address: '10.0.0.3' } } },
      ],
    ]),
);

/** Every kind of answer is another one after these. */
const OPENING: readonly Change[] = [
  ['PUT', 'agent/service/register', { Name: 'web', ID: 's1', Tags: ['a', 'b'], Port: 1, Check: { TTL: '1h' } }],
  ['PUT', 'agent/check/pass/service:s1'],
  ['PUT', 'agent/maintenance?enable=true'],
  [
    'PUT',
    'catalog/register',
    {
      Node: 'ext',
      Address: '10.0.0.1',
      NodeMeta: { rack: '7' },
      Service: { Service: 'web', Port: 1 },
      Check: { Name: 'c', ServiceID: 'web' },
    },
  ],
  ['PUT', 'catalog/register', { Node: 'ext', Address: '10.0.0.1', NodeMeta: { rack: '8' } }],
  ['PUT', 'kv/a', 'one'],
  ['PUT', 'kv/a/b', 'two'],
  ['PUT', 'session/create', { LockDelay: '0s', Checks: [] }],
  ['PUT', 'session/create', { Node: 'ext', LockDelay: '0s', Checks: [] }],
  ['PUT', 'kv/a/b?acquire='],
  ['PUT', 'event/fire/deploy', 'payload'],
  ['PUT', 'acl/policy', { Name: 'p-x', Rules: '' }],
  ['PUT', 'acl/role', { Name: 'r-x' }],
  ['PUT', 'acl/token', { Description: 'two' }],
];

/** Where the ids are that a change leaves open. */
const OPEN: readonly (readonly [end: string, list: string, id: string])[] = [
  ['destroy/', 'session/list', 'ID'],
  ['acquire=', 'session/list', 'ID'],
  ['policy/', 'acl/policies', 'ID'],
  ['role/', 'acl/roles', 'ID'],
  ['token/', 'acl/tokens', 'AccessorID'],
];

/** What names a session, a policy… is filled in with one that there is; the tokens and policies of the start stay. */
async function make([method, path, body]: Change): Promise<void> {
  const open = OPEN.find(([end]) => path.endsWith(end));
  const id = open === undefined ? '' : await someId(open[1], open[2]);
  if (id === undefined) return;
  const { status, body: text } = await ask(path + id, method, body);
  if (status >= 500 && !/does not have associated TTL|Unknown|already exists/i.test(text))
    throw new Error(`${path}: ${status} ${text}`);
}

async function someId(list: string, member: string): Promise<string | undefined> {
  const all = JSON.parse((await ask(list)).body) as Record<string, string>[];
  const made = all.filter(
    (one) => !list.startsWith('acl/') || /^(?:p-|r-|one$)/.test(one['Name'] ?? one['Description'] ?? ''),
  );
  return made[0]?.[member];
}

const ROUNDS = Number(process.env['DROVER_ROUNDS'] ?? 8);
const SEED = Number(process.env['DROVER_SEED'] ?? 20_260_722);

test(
  `no blocked query of any kind sleeps past a change, and none wakes without one (DROVER_SEED=${SEED})`,
  { timeout: 240_000 },
  async () => {
    const stop = new AbortController();
    const { ID } = JSON.parse((await ask('session/create', 'PUT', { Checks: [] })).body) as { ID: string };
    const followers = [...READS, `session/info/${ID}`].map((path) => new Follower(path));
    const following = followers.map((one) => one.follow(stop.signal));
    const failed = Promise.all(following);
    try {
      const bursts = fc.sample(fc.array(change, { minLength: 5, maxLength: 12 }), { numRuns: ROUNDS, seed: SEED });
      const opening: Change[] = [...OPENING, ['PUT', `session/destroy/${ID}`]];
      for (const [round, burst] of [opening, ...bursts].entries()) {
        await Promise.race([failed, run(followers, burst, round)]);
        await Promise.race([failed, settled(followers)]);
      }
      const woken = followers
        .filter((one) => one.wokenForNothing > 0)
        .map((one) => `${one.path}: ${one.wokenForNothing}`);
      expect(woken).toEqual([]);
      const still = followers.filter((one) => one.changes < 2).map((one) => one.path);
      expect(new Set(still)).toEqual(new Set(NEVER_CHANGE));
    } finally {
      stop.abort();
      await Promise.allSettled(following);
    }
  },
);

/** Every other burst comes while everybody sleeps, so that each wake is for one change; the others as fast as they can, with restarts. */
async function run(followers: readonly Follower[], burst: readonly Change[], round: number): Promise<void> {
  for (const one of burst) {
    if (round % 2 === 0) await allHeld(followers);
    await make(one);
  }
  if (round % 4 !== 3) return;
  await agent.end(round % 8 === 3 ? 'SIGKILL' : 'SIGTERM');
  await agent.begin();
}

/** Every follower has what a plain read gives now. */
async function settled(followers: readonly Follower[]): Promise<void> {
  for (const one of followers) {
    let now = one.last;
    await until(async () => {
      now = await ask(one.path);
      return isSame(one.last, now);
    }).catch(() =>
      expect
        .soft({ path: one.path, sleepsWith: one.last.body })
        .toEqual({ path: one.path, sleepsWith: now.body, status: now.status }),
    );
  }
}

const at = fc.nat(49);
/** Writes that none of the quiet ones asked for. */
const elsewhere: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(at, word).map(([n, value]): Change => ['PUT', `kv/noise/${n}`, value]) },
  { weight: 2, arbitrary: at.map((n): Change => ['DELETE', `kv/noise/${n}`]) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(at, fc.nat(9))
      .map(([n, Port]): Change => [
        'PUT',
        'catalog/register',
        { Node: `noise-${n % 5}`, Address: '10.0.1.1', SkipNodeUpdate: true, Service: { Service: `noise-${n}`, Port } },
      ]),
  },
  {
    weight: 1,
    arbitrary: at.map((n): Change => [
      'PUT',
      'txn',
      [{ KV: { Verb: 'set', Key: `noise/${n}`, Value: '' } }, { KV: { Verb: 'delete-tree', Key: `noise/${n}/` } }],
    ]),
  },
);

test('10,000 random writes elsewhere wake nobody', { timeout: 120_000 }, async () => {
  await ask('kv/quiet', 'PUT', 'x');
  await ask('agent/service/register', 'PUT', { Name: 'quiet' });
  const quiet = [
    'kv/quiet',
    'kv/quiet?recurse',
    'kv/quiet-not-there',
    'catalog/service/quiet',
    'health/service/quiet?passing',
    'catalog/service/nobody',
    'session/list',
    'event/list',
  ];
  const stop = new AbortController();
  const followers = quiet.map((path) => new Follower(path));
  const following = followers.map((one) => one.follow(stop.signal));
  try {
    await settled(followers);
    await allHeld(followers);
    const before = followers.map((one) => one.wakes);
    const writes = fc.sample(elsewhere, { numRuns: Number(process.env['DROVER_WRITES'] ?? 1_500), seed: SEED });
    const lanes = Array.from({ length: 16 }, async (_, lane) => {
      for (let n = lane; n < writes.length; n += 16) await make(writes[n] as Change);
    });
    await Promise.all(lanes);
    await allHeld(followers);
    expect(followers.map((one) => one.wakes)).toEqual(before);
  } finally {
    stop.abort();
    await Promise.allSettled(following);
  }
});
