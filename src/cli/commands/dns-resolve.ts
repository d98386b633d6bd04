import { Resolver } from 'node:dns/promises';
import type { Command } from '../command.ts';
import { EXIT } from '../exit.ts';

const TYPES = ['A', 'AAAA', 'SRV', 'TXT', 'PTR', 'NS', 'SOA'] as const;

/** Asks the agent's DNS for a name. */
export const dnsResolve: Command = {
  usage: 'dns:resolve <name>',
  summary: 'Ask the agent’s DNS for a name',
  example: 'drover dns:resolve elasticsearch.service.consul --type SRV',
  options: [{ flags: '--type <type>', text: `${TYPES.join(', ')}; default SRV for a service, else A` }],
  async run({ args, client, options, output }) {
    const [name = ''] = args;
    const asked = typeof options['type'] === 'string' ? options['type'].toUpperCase() : undefined;
    const type = asked ?? (/\.service\./.test(name) ? 'SRV' : 'A');
    if (!TYPES.some((one) => one === type)) {
      output.say(`error CLI_USAGE: unknown type "${type}": expected ${TYPES.join(', ')}`);
      return EXIT.invalid;
    }
    const { dns } = await client.status();
    if (dns === null) {
      output.say('error CLI_NO_DNS: the agent’s DNS is switched off');
      return EXIT.failed;
    }
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    resolver.setServers([dns]);
    try {
      const records = [await resolver.resolve(name, type)].flat();
      output.data(
        records,
        records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record))),
      );
      return EXIT.done;
    } catch (error) {
      output.say(`error CLI_NO_ANSWER: ${name} ${type}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
      return EXIT.notFound;
    }
  },
};
