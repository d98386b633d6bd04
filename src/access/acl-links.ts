import type { GrantsInput, LinkInput, TokenInput } from './access-input.ts';
import type { AclState } from './acl-state.ts';
import { invalid } from './errors.ts';
import type { Grants } from './records.ts';

/** The ids of all that a token is to be given. @throws ACCESS_INVALID for what is not there */
export function linksOf(state: AclState, input: TokenInput): Grants & { readonly roles: readonly string[] } {
  const roles = input.roles.map((link) => linkOf(state, link, 'role'));
  return { ...grantsOf(state, input), roles: [...new Set(roles)] };
}

/** The same of a role, which is given no roles. @throws ACCESS_INVALID */
export function grantsOf(state: AclState, { policies, serviceIdentities, nodeIdentities }: GrantsInput): Grants {
  const ids = policies.map((link) => linkOf(state, link, 'policy'));
  return { policies: [...new Set(ids)], serviceIdentities, nodeIdentities };
}

function linkOf(state: AclState, { id = '', name = '' }: LinkInput, kind: 'policy' | 'role'): string {
  const found =
    id === ''
      ? kind === 'policy'
        ? state.policyNamed(name)
        : state.roleNamed(name)
      : kind === 'policy'
        ? state.policy(id)
        : state.role(id);
  if (found !== undefined) return found.record.id;
  throw invalid(`No such ACL ${kind} with ${id === '' ? `name ${JSON.stringify(name)}` : `ID ${JSON.stringify(id)}`}`);
}
