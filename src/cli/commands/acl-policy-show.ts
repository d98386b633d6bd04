import type { Command } from '../command.ts';

/** Prints a policy's rules as they were given. */
export const aclPolicyShow: Command = {
  usage: 'acl:policy-show <name>',
  summary: 'Print the rules of a policy',
  example: 'drover acl:policy-show ops',
  options: [],
  async run({ args, client, output }) {
    const [name] = args as [string];
    const { body } = await client.request(`/v1/acl/policy/name/${encodeURIComponent(name)}`);
    const policy = body as { readonly Rules: string };
    output.data(policy, policy.Rules.replace(/\n$/, '').split('\n'));
    return 0;
  },
};
