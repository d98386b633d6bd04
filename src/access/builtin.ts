import { NAMED, SCALAR } from './rule.ts';
import { secretHash, type PolicyRecord, type TokenRecord } from './records.ts';

/** The policy that allows everything. */
export const GLOBAL_MANAGEMENT = '00000000-0000-0000-0000-000000000001';
const GLOBAL_READ_ONLY = '00000000-0000-0000-0000-000000000002';
/** AccessorID of whoever shows no token. */
export const ANONYMOUS = '00000000-0000-0000-0000-000000000002';
export const ANONYMOUS_SECRET = 'anonymous';

/** `level` for everything there is. */
function rulesForAll(level: 'read' | 'write'): string {
  const named = [...NAMED].map((name) => `${name}_prefix "" {\n  policy = "${level}"\n}`);
  const scalar = [...SCALAR].map((name) => `${name} = "${level}"`);
  return [...named, ...scalar, ''].join('\n');
}

/** Policies that are always there and cannot be changed. */
export const BUILTIN_POLICIES: readonly PolicyRecord[] = Object.freeze([
  {
    id: GLOBAL_MANAGEMENT,
    name: 'global-management',
    description: 'Builtin Policy that grants unlimited access',
    rules: rulesForAll('write'),
    datacenters: [],
  },
  {
    id: GLOBAL_READ_ONLY,
    name: 'builtin/global-read-only',
    description: 'Builtin Policy that grants unlimited read-only access to all components',
    rules: rulesForAll('read'),
    datacenters: [],
  },
]);

/** The token of whoever shows none, until it is given something. */
export const ANONYMOUS_TOKEN: TokenRecord = Object.freeze({
  accessor: ANONYMOUS,
  hash: secretHash(ANONYMOUS_SECRET),
  description: 'Anonymous Token',
  policies: [],
  roles: [],
  serviceIdentities: [],
  nodeIdentities: [],
  local: false,
  createdAt: '1970-01-01T00:00:00.000Z',
});
