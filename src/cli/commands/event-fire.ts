import type { Command } from '../command.ts';
import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import { readValue } from '../read-value.ts';
import { textOption } from '../scope.ts';

/** Fires a user event. */
export const eventFire: Command = {
  usage: 'event:fire <name> [payload]',
  summary: 'Fire an event: every agent sees it, or those that the patterns match, and runs its handlers for it',
  detail:
    'Patterns are regular expressions (RE2) that need not match whole names. An agent applies them to its own nodes and what runs there.\nWith - for the payload, all of standard input is the payload.',
  example: "drover event:fire deploy v42 --service '^web$' --tag blue",
  options: [
    { flags: '--node <pattern>', text: 'only nodes whose name matches' },
    { flags: '--service <pattern>', text: 'only nodes on which such a service runs' },
    { flags: '--tag <pattern>', text: 'only nodes on which that service has such a tag' },
    ...WAIT_OPTIONS,
  ],
  async run(invocation) {
    const { args, client, host, options } = invocation;
    const [name, payload] = args as [string, string | undefined];
    const text = payload === undefined ? '' : await readValue(payload, host);
    const query = { ...textOption('node', options), ...textOption('service', options), ...textOption('tag', options) };
    const path = `/v1/event/fire/${encodeURIComponent(name)}`;
    const { revision, body } = await client.request(path, { method: 'PUT', text, query });
    const { ID: id } = body as { readonly ID: string };
    return reportChange(invocation, { revision, value: { id, name }, lines: [`event ${name} ${id} at r${revision}`] });
  },
};
