import { findAclId } from './acl-find.ts';
import { reportAclChange } from './acl-report.ts';
import type { Invocation } from './command.ts';
import { unknownAcl } from './errors.ts';

/** Deletes a policy or role by its name. @throws CLI_UNKNOWN_ACL */
export async function deleteAcl(invocation: Invocation, kind: 'policy' | 'role'): Promise<number> {
  const [name] = invocation.args as [string];
  const id = await findAclId(invocation.client, kind, name);
  if (id === undefined) throw unknownAcl(kind, name);
  const { revision } = await invocation.client.request(`/v1/acl/${kind}/${id}`, { method: 'DELETE' });
  return reportAclChange(invocation, { [kind]: name }, `${kind} ${name} is gone at r${revision}`);
}
