import { runWatch } from '../run-watch.ts';
import type { ConsulCommand } from './consul-command.ts';

/** Runs a command when something changes, or prints what is, as `consul watch`. */
export const watch: ConsulCommand = {
  usage:
    'watch -type=TYPE [-key=KEY] [-prefix=PREFIX] [-service=NAME] [-tag=TAG] [-passingonly] [-state=STATE] [-name=NAME] [-shell=false] [CHILD…]',
  flags: {
    type: 'text',
    key: 'text',
    prefix: 'text',
    service: 'text',
    tag: 'list',
    passingonly: 'flag',
    state: 'text',
    name: 'text',
    filter: 'text',
    shell: 'flag',
  },
  async run({ flags, args, query, client, host }) {
    const keys = ['type', 'key', 'prefix', 'service', 'tag', 'passingonly', 'state', 'name', 'filter'] as const;
    const given = Object.fromEntries(keys.map((key) => [key, flags.get(key)]));
    return runWatch({
      given: { ...given, datacenter: query['dc'], stale: query['stale'] === undefined ? undefined : true },
      command: args,
      shell: flags.get('shell') !== false,
      client,
      host,
      print: (value) => host.stdout(`${JSON.stringify(value, null, 4)}\n`),
      say: (text) => host.stderr(`${text}\n`),
    });
  },
};
