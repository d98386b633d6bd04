import type { Command } from '../command.ts';
import { reportAclChange } from '../acl-report.ts';

/** Deletes a token: who shows it is refused from now on. */
export const aclTokenDelete: Command = {
  usage: 'acl:token-delete <accessor>',
  summary: 'Delete a token, by its AccessorID',
  example: 'drover acl:token-delete 7d1f0a9c-0b1e-4c55-9e2e-0123456789ab',
  options: [],
  async run(invocation) {
    const [accessor] = invocation.args as [string];
    const path = `/v1/acl/token/${encodeURIComponent(accessor)}`;
    const { revision } = await invocation.client.request(path, { method: 'DELETE' });
    return reportAclChange(invocation, { token: accessor }, `token ${accessor} is gone at r${revision}`);
  },
};
