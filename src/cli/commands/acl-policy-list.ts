import type { Command } from '../command.ts';
import { table } from '../output.ts';

/** Lists policies. */
export const aclPolicyList: Command = {
  usage: 'acl:policy-list',
  summary: 'List policies',
  example: 'drover acl:policy-list',
  options: [],
  async run({ client, output }) {
    const policies = (await client.request('/v1/acl/policies')).body as { Name: string; Description: string }[];
    output.data(
      policies,
      table(
        ['policy', 'description'],
        policies.map(({ Name, Description }) => [Name, Description]),
      ),
    );
    return 0;
  },
};
