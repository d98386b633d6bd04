import type { AgentFlags } from '../../agent/index.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit.ts';

/** Runs the agent in the foreground. */
export const agent: Command = {
  usage: 'agent',
  summary: 'Run the agent: a node, and with --server or --dev the region itself',
  example: 'drover agent --dev\ndrover agent --server --store sqlite:/var/lib/drover/store --config-dir /etc/drover.d',
  handlesSignals: true,
  options: [
    { flags: '--dev', text: 'everything on one machine, in memory, without set-up' },
    { flags: '--server', text: 'run the region: store, registry, HTTP API, DNS' },
    { flags: '--store <url>', text: 'sqlite:DIR or memory:' },
    { flags: '--node <name>', text: 'name of the first node; default the host’s' },
    { flags: '--datacenter <name>', text: 'the region; default dc1' },
    { flags: '--domain <name>', text: 'DNS domain; default consul.' },
    { flags: '--bind <address>', text: 'address of the first node' },
    { flags: '--client <address>', text: 'address of HTTP and DNS; default 127.0.0.1' },
    { flags: '--http-port <port>', text: 'default 8500; -1 switches HTTP off' },
    { flags: '--dns-port <port>', text: 'default 8600; -1 switches DNS off' },
    { flags: '--data-dir <directory>', text: 'state of the agent; default /var/lib/drover' },
    { flags: '--config-file <file...>', text: 'configuration files' },
    { flags: '--config-dir <directory...>', text: 'directories of configuration files' },
    { flags: '--log-level <level>', text: 'trace, debug, info, warn or error; default info' },
    { flags: '--timing <preset>', text: 'local, lan or wan; default lan' },
    { flags: '--legacy', text: 'Consul’s behaviour of before 1.4 where it differs' },
    { flags: '--enable-script-checks', text: 'take script checks through the API as well' },
  ],
  async run({ options, signal }) {
    const { runAgent } = await import('../../agent/index.ts');
    await runAgent(flagsOf(options), signal);
    return EXIT.done;
  },
};

function flagsOf(options: Readonly<Record<string, unknown>>): AgentFlags {
  const { httpPort, dnsPort, ...others } = options;
  return {
    ...(others as AgentFlags),
    ...(httpPort === undefined ? {} : { httpPort: Number(httpPort) }),
    ...(dnsPort === undefined ? {} : { dnsPort: Number(dnsPort) }),
  };
}
