import type { FilterFields } from '../../lib/index.ts';

const ADDRESSES = ['map', { Address: 'text', Port: 'number' }] as const;
const WEIGHTS = { Passing: 'number', Warning: 'number' } as const;

/** What filters may speak of, by kind of row (consul-http-api 12). */
export const NODE_SHAPE = {
  ID: 'text',
  Node: 'text',
  Address: 'text',
  Datacenter: 'text',
  TaggedAddresses: 'map',
  Meta: 'map',
} as const satisfies FilterFields;

export const SERVICE_SHAPE = {
  Kind: 'text',
  ID: 'text',
  Service: 'text',
  Tags: 'texts',
  Address: 'text',
  TaggedAddresses: ADDRESSES,
  Meta: 'map',
  Port: 'number',
  Weights: WEIGHTS,
  EnableTagOverride: 'flag',
  Datacenter: 'text',
} as const satisfies FilterFields;

export const CHECK_SHAPE = {
  Node: 'text',
  CheckID: 'text',
  Name: 'text',
  Status: 'text',
  Notes: 'text',
  Output: 'text',
  ServiceID: 'text',
  ServiceName: 'text',
  ServiceTags: 'texts',
  Type: 'text',
  Interval: 'text',
  Timeout: 'text',
} as const satisfies FilterFields;

/** Rows of `catalog/service` and `catalog/services`. */
export const CATALOG_SERVICE_SHAPE = {
  ID: 'text',
  Node: 'text',
  Address: 'text',
  Datacenter: 'text',
  TaggedAddresses: 'map',
  NodeMeta: 'map',
  ServiceKind: 'text',
  ServiceID: 'text',
  ServiceName: 'text',
  ServiceTags: 'texts',
  ServiceAddress: 'text',
  ServiceTaggedAddresses: ADDRESSES,
  ServiceWeights: WEIGHTS,
  ServiceMeta: 'map',
  ServicePort: 'number',
  ServiceEnableTagOverride: 'flag',
} as const satisfies FilterFields;

/** Rows of `health/service`. */
export const HEALTH_SHAPE = {
  Node: NODE_SHAPE,
  Service: SERVICE_SHAPE,
  Checks: [CHECK_SHAPE],
} as const satisfies FilterFields;

/** Rows of `agent/members`. */
export const MEMBER_SHAPE = {
  Name: 'text',
  Addr: 'text',
  Port: 'number',
  Tags: 'map',
  Status: 'number',
  ProtocolMin: 'number',
  ProtocolMax: 'number',
  ProtocolCur: 'number',
  DelegateMin: 'number',
  DelegateMax: 'number',
  DelegateCur: 'number',
} as const satisfies FilterFields;

/** Rows of `session/list`. */
export const SESSION_SHAPE = {
  ID: 'text',
  Name: 'text',
  Node: 'text',
  LockDelay: 'number',
  Behavior: 'text',
  TTL: 'text',
  NodeChecks: 'texts',
} as const satisfies FilterFields;
