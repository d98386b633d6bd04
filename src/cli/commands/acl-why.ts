import type { WireWhy } from '../../../client/src/index.ts';
import type { Command } from '../command.ts';
import { usageError } from '../errors.ts';

/** Says which rule of which policy decides. */
export const aclWhy: Command = {
  usage: 'acl:why <token> <action> <resource>',
  summary: 'Say whether a token may do something, and which rule decides',
  detail:
    'The token is an AccessorID, or self: the one in DROVER_TOKEN or --token-file. A secret is never an argument.\nThe action is read, list or write. The resource is its kind, a colon and its name, such as key:app/limit, or its kind alone.\nExit status 0: allowed, 5: denied.',
  example: 'drover acl:why self write key:app/limit\ndrover acl:why 7d1f…-… read service:web',
  options: [],
  async run({ args, client, output }) {
    const [token, level, what] = args as [string, string, string];
    const [, resource = '', name = ''] = /^([a-z]+)(?::(.*))?$/s.exec(what) ?? [];
    if (resource === '') throw usageError(`${JSON.stringify(what)} is no resource: write key:app/limit or operator`);
    const why = await client.why({ token, resource, name, level });
    output.data(why, [`${why.allowed ? 'allowed' : 'denied'}: ${reasonOf(why)}`]);
    return why.allowed ? 0 : DENIED;
  },
};

const DENIED = 5;

function reasonOf({ accessor, defaultPolicy, management, rule }: WireWhy): string {
  if (management) return `token ${accessor} is a management token`;
  if (rule === null) return `no rule of token ${accessor} speaks of it, and the default policy is ${defaultPolicy}`;
  const place = rule.line === undefined ? '' : `, ${rule.line}:${rule.column}`;
  return `${rule.selector} = ${rule.policy} (${rule.from}${place}) of token ${accessor}`;
}
