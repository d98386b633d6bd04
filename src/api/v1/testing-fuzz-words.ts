/** What random requests are made of. */

export const METHODS = ['GET', 'PUT', 'DELETE', 'POST', 'HEAD', 'OPTIONS', 'PATCH', 'PROPFIND'] as const;

export const WORDS = [
  '',
  'a',
  'web',
  'n1',
  'any',
  'service:web',
  'x/y',
  '..',
  '__proto__',
  'constructor',
  'ü',
  '\0',
  '😀',
  '%',
] as const;

export const RAW = ['%', '%f', '%ff', '%00', '%C3', '+', '//', ';', '#', '?', '%25', '\u00ff'] as const;

export const PARAMETERS =
  `index wait stale consistent cached max_stale dc ns filter tag node-meta passing recurse keys separator raw
  flags cas acquire release enable reason note name node service format hash pretty near replace-existing-checks loglevel
  limit policy role token address id prune wan __proto__`.split(/\s+/);

export const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '18446744073709551615',
  '1e9',
  'x',
  'true',
  '0s',
  '1ms',
  '-1s',
  'a:b',
  '%ff',
  '[',
  'web',
  'n1',
  'a+%3D%3D+b',
  'Node+contains+n',
] as const;

/** Members of the bodies that endpoints know. */
export const KEYS =
  `Name name ID Node Address Service Check Checks Tags Meta Port Weights TTL HTTP TCP Interval Timeout Status Output
  UDP GRPC GRPCUseTLS H2PING OSService AliasService AliasNode DockerContainerID Shell
  ServiceID CheckID Datacenter NodeMeta TaggedAddresses Definition Header Notes EnableTagOverride Connect Proxy
  Args Script DeregisterCriticalServiceAfter __proto__ constructor SkipNodeUpdate LockDelay Behavior NodeChecks ServiceChecks
  KV Session Verb Key Value Flags Index Rules Policies Roles ServiceIdentities NodeIdentities AccessorID SecretID Description
  ExpirationTTL Type Token Template Regexp OnlyPassing Near Failover NearestN Datacenters Targets DNS Kind SocketPath
  CleanupDeadServers BootstrapSecret Local Payload`.split(/\s+/);

const TXN_VERBS =
  'set delete delete-cas delete-tree cas lock unlock get get-or-empty get-tree check-index check-session check-not-exists nope'.split(
    ' ',
  );

/** Operations of a transaction that can be. */
export const OPERATIONS: readonly object[] = [
  ...TXN_VERBS.map((Verb) => ({ KV: { Verb, Key: 'a', Value: 'eA==', Index: 1, Session: 'x' } })),
  ...['get', 'set', 'cas', 'delete', 'delete-cas', 'nope'].flatMap((Verb) => [
    { Node: { Verb, Node: { Node: 'n9', Address: '10.0.0.9' } } },
    { Service: { Verb, Node: 'n9', Service: { ID: 'web', Service: 'web', Port: 80 } } },
    { Check: { Verb, Check: { Node: 'n9', CheckID: 'c', Name: 'c', Status: 'passing' } } },
  ]),
  {},
];

const SOUND = {
  Name: 'web',
  Node: 'n9',
  Address: '10.0.0.9',
  Service: { Service: 'web' },
  Status: 'passing',
  TTL: '10s',
};

const RULES = 'key_prefix "a" { policy = "write" } service "web" { policy = "read" } node "n1" { policy = "deny" }';

/** What endpoints take, by how their paths begin; the first that fits. */
export const BODIES: readonly (readonly [start: string, body: object])[] = [
  ['session/create', { Name: 'lock', TTL: '10s', LockDelay: '0s', Behavior: 'delete', Checks: [] }],
  ['acl/policy', { Name: 'web', Rules: RULES }],
  ['acl/role', { Name: 'web', Policies: [{ Name: 'web' }], ServiceIdentities: [{ ServiceName: 'web' }] }],
  ['acl/token', { Description: 'x', Policies: [{ Name: 'web' }], Roles: [{ Name: 'web' }], NodeIdentities: [] }],
  ['acl/create', { Name: 'old', Type: 'client', Rules: 'key "a" { policy = "read" }' }],
  ['acl/', {}],
  ['query', { Name: 'web', Service: { Service: 'web', Tags: ['a', '!b'], OnlyPassing: true }, DNS: { TTL: '10s' } }],
  ['agent/token', { Token: 'x' }],
  [
    'coordinate/update',
    { Node: 'n1', Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 } },
  ],
  ['operator/', { CleanupDeadServers: true }],
  ['', SOUND],
];
