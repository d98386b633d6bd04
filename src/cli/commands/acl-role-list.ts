import type { Command } from '../command.ts';
import { table } from '../output.ts';

interface Role {
  readonly Name: string;
  readonly Description: string;
  readonly Policies: readonly { readonly Name: string }[];
}

/** Lists roles with their policies. */
export const aclRoleList: Command = {
  usage: 'acl:role-list',
  summary: 'List roles with their policies',
  example: 'drover acl:role-list',
  options: [],
  async run({ client, output }) {
    const roles = (await client.request('/v1/acl/roles')).body as Role[];
    const rows = roles.map(({ Name, Policies, Description }) => [
      Name,
      Policies.map((policy) => policy.Name).join(', '),
      Description,
    ]);
    if (rows.length === 0) output.say('there are no roles yet: drover acl:role-write NAME makes one');
    output.data(roles, table(['role', 'policies', 'description'], rows));
    return 0;
  },
};
