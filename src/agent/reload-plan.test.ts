import { aclConfigOf } from './config/acl-config.ts';
import { HTTP_SETTINGS } from '../api/index.ts';
import { expect, test } from 'vitest';
import type { AgentConfig } from './config/config.ts';
import { planReload } from './reload-plan.ts';
import { nodeConfigOf } from './testing.ts';

const node = nodeConfigOf;
const PROVISION = {
  command: 'true',
  kind: 'command',
  timeLimitMs: 1_000,
  lockFile: null,
  membership: false,
  group: null,
  atMost: '10%',
  cwd: '/',
} as const;

const HTTP = { addresses: ['127.0.0.1'], sockets: [], port: 0, settings: HTTP_SETTINGS };

function config(literal: Partial<AgentConfig>): AgentConfig {
  return {
    datacenter: 'dc1',
    dataDirectory: '/x',
    temporary: false,
    dev: false,
    server: true,
    store: 'memory:',
    etcd: { tls: null, user: null },
    snapshots: null,
    http: HTTP,
    dns: { addresses: ['127.0.0.1'], port: 0 },
    domain: 'consul.',
    advertised: null,
    altDomain: null,
    dnsConfig: {},
    logLevel: 'info',
    legacy: false,
    acl: aclConfigOf({}),
    timing: 'lan',
    leaveOnTerminate: false,
    leaveOnInterrupt: false,
    pidFile: null,
    join: [],
    sessionTtlMinMs: 10_000,
    reapAfterMs: 0,
    alarmForMs: 0,
    historyKeepMs: 0,
    scripts: { local: true, remote: false },
    nodes: [node()],
    warnings: [],
    ...literal,
  };
}

const steps: [what: string, before: AgentConfig['nodes'], after: AgentConfig['nodes'], expected: string[]][] = [
  ['nothing for what is the same', [node()], [node()], []],
  ['a change of runs', [node()], [node({ runs: ['web'] })], ['change n1']],
  [
    'a change of its record',
    [node()],
    [node({ address: '127.0.0.2', federation: 'x', meta: { a: 'b' } })],
    ['change n1'],
  ],
  [
    'a restart for another balancer',
    [node()],
    [node({ balancer: { address: '127.0.0.1', haproxy: null, onStop: 'keep' } })],
    ['restart n1'],
  ],
  [
    'a restart for other environment files',
    [node()],
    [node({ environment: { directory: '/e', mode: 0o640, owner: null } })],
    ['restart n1'],
  ],
  [
    'a restart for another provision command',
    [node({ provision: PROVISION })],
    [node({ provision: { ...PROVISION, command: 'false' } })],
    ['restart n1'],
  ],
  ['a new node', [node()], [node(), node({ name: 'n2' })], ['add n2']],
  ['a node that is gone', [node(), node({ name: 'n2' })], [node()], ['leave n2']],
  ['the first node staying', [node(), node({ name: 'n2' })], [node({ name: 'n2' })], []],
];

test.each(steps)('planReload() gives %s', (_what, before, after, expected) => {
  const plan = planReload(config({ nodes: before }), config({ nodes: after }));
  expect(plan.steps.map((step) => `${step.type} ${step.type === 'leave' ? step.name : step.config.name}`)).toEqual(
    expected,
  );
});

const fixed: [change: Partial<AgentConfig>, warning: string][] = [
  [{ http: { ...HTTP, port: 8501 } }, 'ports.http, the addresses of HTTP, http_config or limits is another now'],
  [{ pidFile: '/x' }, 'pid_file is another now'],
  [{ join: ['x'] }, 'retry_join or start_join is another now'],
  [{ datacenter: 'x' }, 'datacenter is another now: restart the agent'],
  [{ timing: 'wan' }, 'timing is another now'],
  [{ scripts: { local: true, remote: true } }, 'enable_script_checks'],
  [{ nodes: [node({ name: 'other' })] }, 'the agent’s first node stays "n1"'],
];

test.each(fixed)('planReload() warns of what needs a restart: %j', (change, warning) => {
  const { warnings } = planReload(config({}), config(change));
  expect(warnings).toEqual([expect.stringContaining(warning)]);
});

test('planReload() takes another log level and other warnings without a word', () => {
  expect(planReload(config({}), config({ logLevel: 'warn', warnings: ['x'] }))).toEqual({
    steps: [],
    dns: null,
    warnings: [],
  });
});

const dns: Partial<AgentConfig>[] = [
  { domain: 'corp.example.' },
  { altDomain: 'corp.example.' },
  { dnsConfig: { nodeTtlMs: 5_000, recursors: ['192.0.2.1'] } },
];

test.each(dns)('planReload() lets DNS take up %j without a restart', (change) => {
  const before = config({});
  const expected = { domain: before.domain, altDomain: before.altDomain, dnsConfig: before.dnsConfig, ...change };
  expect(planReload(before, config(change))).toEqual({ steps: [], dns: expected, warnings: [] });
});

test('planReload() warns of access control that is another, and not of its tokens', () => {
  const closed = aclConfigOf({ acl: { enabled: true, default_policy: 'deny' } });
  const warned = planReload(config({}), config({ acl: closed })).warnings;
  expect(warned).toEqual([expect.stringContaining('acl is another now')]);
  const tokens = aclConfigOf({ acl: { tokens: { default: 'x' } } });
  expect(planReload(config({}), config({ acl: tokens })).warnings).toEqual([]);
});
