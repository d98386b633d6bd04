import type { Command } from '../command.ts';
import { table } from '../output.ts';

interface Named {
  readonly Name: string;
}

interface Token {
  readonly AccessorID: string;
  readonly Description: string;
  readonly Policies: readonly Named[];
  readonly Roles: readonly Named[];
  readonly ServiceIdentities: readonly { readonly ServiceName: string }[];
  readonly NodeIdentities: readonly { readonly NodeName: string }[];
  readonly ExpirationTime?: string;
}

/** Lists tokens with what they are given; their secrets are nobody's business. */
export const aclTokenList: Command = {
  usage: 'acl:token-list',
  summary: 'List tokens and what they are given',
  example: 'drover acl:token-list',
  options: [],
  async run({ client, output }) {
    const tokens = (await client.request('/v1/acl/tokens')).body as (Token & { readonly SecretID?: string })[];
    const shown = tokens.map(({ SecretID: _secret, ...token }) => token);
    const rows = shown.map((token) => [
      token.AccessorID,
      givenTo(token),
      token.ExpirationTime ?? '',
      token.Description,
    ]);
    output.data(shown, table(['accessor', 'given', 'expires', 'description'], rows));
    return 0;
  },
};

function givenTo({ Policies, Roles, ServiceIdentities, NodeIdentities }: Token): string {
  const all = [
    ...Policies.map(({ Name }) => Name),
    ...Roles.map(({ Name }) => `role ${Name}`),
    ...ServiceIdentities.map(({ ServiceName }) => `service ${ServiceName}`),
    ...NodeIdentities.map(({ NodeName }) => `node ${NodeName}`),
  ];
  return all.join(', ');
}
