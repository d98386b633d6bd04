import { deleteAcl } from '../acl-delete.ts';
import type { Command } from '../command.ts';

/** Deletes a policy: tokens and roles that have it lose it at once. */
export const aclPolicyDelete: Command = {
  usage: 'acl:policy-delete <name>',
  summary: 'Delete a policy',
  example: 'drover acl:policy-delete ops',
  options: [],
  run: (invocation) => deleteAcl(invocation, 'policy'),
};
