import { findAclId } from '../acl-find.ts';
import { grantsOf, GRANT_OPTIONS } from '../acl-grants.ts';
import { reportAclChange } from '../acl-report.ts';
import type { Command } from '../command.ts';

/** Makes a role, or replaces what one is given. */
export const aclRoleWrite: Command = {
  usage: 'acl:role-write <name>',
  summary: 'Make or replace a role with policies and identities',
  example: 'drover acl:role-write operators --policy ops,kv',
  options: [...GRANT_OPTIONS, { flags: '--description <text>', text: 'what it is for' }],
  async run(invocation) {
    const { args, client, options } = invocation;
    const [name] = args as [string];
    const id = await findAclId(client, 'role', name);
    const body = { Name: name, Description: options['description'] ?? '', ...(await grantsOf(client, options)) };
    const path = id === undefined ? '/v1/acl/role' : `/v1/acl/role/${id}`;
    const { revision } = await client.request(path, { method: 'PUT', body });
    return reportAclChange(
      invocation,
      { role: name },
      `role ${name} is ${id === undefined ? 'made' : 'replaced'} at r${revision}`,
    );
  },
};
