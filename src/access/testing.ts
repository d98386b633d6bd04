import type { Clock } from '../lib/index.ts';
import type { AccessParts } from './access-parts.ts';
import { Access, type AccessSettings } from './access.ts';
import { AccessWrites } from './access-writes.ts';
import type { AclState } from './acl-state.ts';
import type { AclFeed } from './acl-transaction.ts';
import { AgentTokens } from './agent-tokens.ts';
import type { TokenInput } from './access-input.ts';

/** The management token of tests. */
export const TEST_MANAGEMENT = 'root';

/** How access control is in tests unless told: on, and closed. */
export const TEST_SETTINGS: AccessSettings = Object.freeze({
  enabled: true,
  defaultPolicy: 'deny',
  keyListPolicy: false,
  datacenter: 'aws',
  node: 'n1',
});

/** Access control over a state that a feed already keeps. */
export function testAccess(
  state: AclState,
  feed: AclFeed,
  clock: Clock,
  { legacy = false, ...settings }: Partial<AccessSettings> & { readonly legacy?: boolean } = {},
): AccessParts {
  const tokens = new AgentTokens();
  const access = new Access({ state, tokens, clock, settings: { ...TEST_SETTINGS, ...settings } });
  const writes = new AccessWrites({ feed, state, clock, legacy });
  return { access, state, tokens, writes, takeResetIndex: () => Promise.resolve(0) };
}

/** A token that is given only what is told. */
export function tokenInput(input: Partial<TokenInput> = {}): TokenInput {
  return {
    description: '',
    policies: [],
    roles: [],
    serviceIdentities: [],
    nodeIdentities: [],
    local: false,
    ...input,
  };
}
