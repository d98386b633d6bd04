import { describe, expect, test } from 'vitest';
import type { WireService } from '../../../client/src/index.ts';
import { run } from '../testing.ts';
import type { Facts, NodeFacts } from './examine.ts';
import { findingsOf } from './findings.ts';

const service: WireService = {
  id: 'api',
  federation: 'default',
  defined: true,
  public: false,
  instances: 2,
  health: 'passing',
  requiredBy: ['www'],
  reachedAt: '',
};
const node = {
  name: 'n1',
  address: '',
  federation: 'default',
  status: 'up',
  since: '',
  consumers: [],
  provisionGroup: null,
  runs: ['www'],
  services: [],
  external: false,
};
const listener = {
  enabled: true,
  running: false,
  queued: false,
  runs: 1,
  last: null,
  configured: true,
  causes: [],
  held: null,
  retryAt: null,
};
const balancer = { pid: 1, stale: null, frontends: [], skipped: [], errors: [] };
const own: NodeFacts = { name: 'n1', environments: [], listener, balancer };
const well: Facts = {
  status: {
    version: '',
    region: 'aws',
    node: 'n1',
    nodes: ['n1'],
    revision: 57,
    ready: true,
    store: { engine: 'sqlite', leaderKnown: true, full: false },
    link: null,
    partition: null,
    snapshots: null,
    http: '',
    dns: null,
  },
  services: [service],
  nodes: [node],
  late: [{ node: 'n1', kind: 'dns', revision: 57, forMs: 20 }],
  own: [own],
};
const store = (more: object): Partial<Facts> => ({
  status: { ...well.status, store: { ...well.status.store, ...more } },
});
const at = (more: Partial<NodeFacts>): Partial<Facts> => ({ own: [{ ...own, ...more }] });
const last = { startedAt: '', endedAt: '', exitCode: 3, causes: [], revision: 1, result: 'exit 3' };
const missing = { name: 'A', value: null, state: 'missing' as const, secret: true, from: [], unresolved: ['X'] };

describe('findingsOf()', () => {
  test('says what is well, with the number and its whole', () => {
    expect(findingsOf(well).map(({ state, what, detail }) => `${state} ${what}: ${detail}`)).toEqual([
      'ok store: sqlite at r57',
      'ok services: 1 of 1 are well',
      'ok nodes: 1 of 1 are up',
      'ok arrival: nobody is late up to r57',
    ]);
  });

  test.each<[string, Partial<Facts>, string, string | undefined]>([
    [
      'wrong',
      store({ failure: 'disk I/O error' }),
      'store: disk I/O error',
      'mend the cause, then restart the server; its log says more',
    ],
    ['wrong', store({ full: true }), 'store: full: it takes no writes', 'make room on its disk'],
    ['wrong', store({ leaderKnown: false }), 'store: it takes no writes', 'its log says why'],
    [
      'wrong',
      { services: [{ ...service, health: '1 of 2 passing' }] },
      'service api: 1 of 2 passing, 2 instances',
      'drover service:show api',
    ],
    [
      'wrong',
      { services: [{ ...service, instances: 0, health: 'none' }] },
      'service api: no instances, required by www',
      'start it and register it on a node',
    ],
    [
      'ok',
      { services: [{ ...service, instances: 0, health: 'none', requiredBy: [] }] },
      'services: 1 of 1 are well',
      undefined,
    ],
    ['wrong', { nodes: [{ ...node, status: 'down' }] }, 'node n1: down', 'start its agent again'],
    [
      'wrong',
      { nodes: [{ ...node, status: 'suspected', evidence: 'its link is gone: reset' }] },
      'node n1: suspected, its link is gone: reset',
      'start its agent again',
    ],
    [
      'wrong',
      { status: { ...well.status, partition: { server: 's1', since: '2026-01-01', forMs: 600_000, why: '9 of 9' } } },
      'partition: 9 of 9; s1 keeps them from being down since 2026-01-01, for 10 min 0 s at most',
      'mend the network; drover node:release NODE lets go of one that is really gone',
    ],
    [
      'wrong',
      { status: { ...well.status, store: { engine: 'etcd', leaderKnown: false, full: false, failure: 'no leader' } } },
      'store: etcd takes no writes: no leader; reads, DNS and balancers go on',
      'etcdctl endpoint status --cluster; drover goes on by itself when etcd does',
    ],
    [
      'wrong',
      { status: { ...well.status, store: { engine: 'etcd', leaderKnown: true, full: true } } },
      'store: etcd is full: it takes no writes',
      'etcdctl compact, etcdctl defrag, etcdctl alarm disarm; or a larger --quota-backend-bytes',
    ],
    [
      'wrong',
      { status: { ...well.status, snapshots: { newest: null, failure: 'no snapshot was saved in /s: EACCES' } } },
      'snapshots: no snapshot was saved in /s: EACCES',
      undefined,
    ],
    [
      'ok',
      {
        status: {
          ...well.status,
          snapshots: { newest: { file: '/s/a.snap', revision: 5, at: '2026-01-01' }, failure: null },
        },
      },
      'snapshots: the newest is /s/a.snap, of 2026-01-01',
      undefined,
    ],
    ['ok', { nodes: [{ ...node, status: 'down', external: true }] }, 'nodes: 0 of 0 are up', undefined],
    [
      'wrong',
      { late: [{ node: 'n1', kind: 'balancer', revision: 50, forMs: 322_000 }] },
      'balancer@n1: late for r50 since 5 min 22 s',
      'drover trace 50',
    ],
    [
      'wrong',
      at({
        environments: [{ service: 'www', node: 'n1', revision: 1, variables: [missing, { ...missing, name: 'B' }] }],
      }),
      'environment of www@n1: nobody provides X',
      'drover datastore:set X -, or apply a definition that provides it',
    ],
    [
      'wrong',
      at({ listener: { ...listener, last } }),
      'listener@n1: the last provision failed: exit 3',
      'drover provision --node n1',
    ],
    [
      'note',
      at({ listener: { ...listener, enabled: false } }),
      'listener@n1: off: nothing provisions',
      'drover listener:on --node n1',
    ],
    [
      'wrong',
      at({
        balancer: {
          ...balancer,
          frontends: [{ service: 'api', endpoint: '127.0.0.1:1100', members: [], error: 'port held by nginx (pid 7)' }],
        },
      }),
      'balancer@n1: api at 127.0.0.1:1100: port held by nginx (pid 7)',
      undefined,
    ],
    [
      'wrong',
      at({ balancer: { ...balancer, stale: 'HAProxy does not answer' } }),
      'balancer@n1: HAProxy does not answer',
      undefined,
    ],
    [
      'note',
      at({ balancer: { ...balancer, skipped: [{ service: 'api', reason: 'it runs here' }] } }),
      'balancer@n1: api is not balanced, and does not fail over: it runs here',
      undefined,
    ],
  ])('says as %s of %j', (state, facts, text, mend) => {
    const found = findingsOf({ ...well, ...facts }).filter((one) => one.state === state);
    const finding = found.find(({ what, detail }) => `${what}: ${detail}` === text);
    expect(finding?.mend).toBe(mend);
    expect(finding).toBeDefined();
  });

  test('leaves out listeners without a command', () => {
    const facts = { ...well, ...at({ listener: { ...listener, configured: false, enabled: false, last } }) };
    expect(findingsOf(facts).every(({ state }) => state === 'ok')).toBe(true);
  });
});

describe('drover doctor', () => {
  const none = { status: 404, json: { error: { code: 'API_NO_LISTENER', message: 'none' } } };
  const answers = (more: Partial<Facts>) => {
    const { status, services, nodes, late } = { ...well, ...more };
    return {
      'GET /v2/status': { json: status },
      'GET /v2/services': { json: services },
      'GET /v2/nodes': { json: nodes },
      'GET /v2/late': { json: late },
      'GET /v2/listener?node=n1': none,
      'GET /v2/balancer?node=n1': none,
      'GET /v2/environment/www?node=n1': { json: { service: 'www', node: 'n1', revision: 1, variables: [] } },
    };
  };

  test('exits 0 when all is well', async () => {
    const { exit, stdout, stderr } = await run('doctor', { answers: answers({}) });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toMatch(/^all is well\n {2}ok {5}store: sqlite at r57\n/);
  });

  test('exits 1 with what is wrong first, and how to mend it', async () => {
    const { exit, stdout } = await run('doctor', { answers: answers({ nodes: [{ ...node, status: 'down' }] }) });
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^1 of 5 findings are wrong\n {2}wrong {2}node n1: down\n {9}mend: start its agent again\n/);
    const { stdout: json } = await run('doctor --json', { answers: answers({ nodes: [{ ...node, status: 'down' }] }) });
    expect(JSON.parse(json)).toMatchObject([{ state: 'wrong', what: 'node n1' }, {}, {}, {}, {}]);
  });
});
