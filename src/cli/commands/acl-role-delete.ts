import { deleteAcl } from '../acl-delete.ts';
import type { Command } from '../command.ts';

/** Deletes a role: tokens that have it lose it at once. */
export const aclRoleDelete: Command = {
  usage: 'acl:role-delete <name>',
  summary: 'Delete a role',
  example: 'drover acl:role-delete operators',
  options: [],
  run: (invocation) => deleteAcl(invocation, 'role'),
};
