import type { Command } from '../command.ts';
import { grantsOf, GRANT_OPTIONS, namesOf } from '../acl-grants.ts';

/** Makes a token. */
export const aclTokenCreate: Command = {
  usage: 'acl:token-create',
  summary: 'Make a token with policies, roles and identities',
  detail: 'Its secret is shown this once.',
  example:
    'drover acl:token-create --policy ops,kv --description "of the deploys"\ndrover acl:token-create --service web --ttl 8h',
  options: [
    ...GRANT_OPTIONS,
    { flags: '--role <names>', text: 'roles, with commas between' },
    { flags: '--description <text>', text: 'what it is for' },
    { flags: '--ttl <duration>', text: 'how long it lasts: 1m to 24h; default for good', value: 'duration' },
  ],
  async run({ client, options, output }) {
    const { body, revision } = await client.request('/v1/acl/token', {
      method: 'PUT',
      body: {
        ...(await grantsOf(client, options)),
        Roles: namesOf(options['role']).map((Name) => ({ Name })),
        Description: options['description'] ?? '',
        ...(options['ttl'] === undefined ? {} : { ExpirationTTL: options['ttl'] }),
      },
    });
    const token = body as { AccessorID: string; SecretID: string };
    output.data(token, [`AccessorID  ${token.AccessorID}`, `SecretID    ${token.SecretID}`]);
    output.say(`made at r${revision}; keep the secret: it is not shown again`);
    return 0;
  },
};
