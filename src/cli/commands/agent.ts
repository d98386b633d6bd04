import type { AgentFlags } from '../../agent/index.ts';
import type { Command } from '../command.ts';

/** Runs the agent in the foreground. */
export const agent: Command = {
  usage: 'agent',
  summary: 'Run the agent: a node, and with --server or --dev the region itself',
  detail:
    'It stays in the foreground until SIGINT or SIGTERM; SIGHUP reads the configuration again. One dash does as well: -config-dir.',
  example: 'drover agent --dev\ndrover agent --server --store sqlite:/var/lib/drover/store --config-dir /etc/drover.d',
  options: [
    { flags: '--dev', text: 'everything on one machine, in memory, without set-up' },
    { flags: '--server', text: 'run the region: store, registry, HTTP API, DNS' },
    { flags: '--store <url>', text: 'sqlite:DIR or memory:' },
    { flags: '--node <name>', text: 'name of the first node; default the host’s' },
    { flags: '--datacenter <name>', text: 'the region; default dc1' },
    { flags: '--domain <name>', text: 'DNS domain; default consul.' },
    { flags: '--bind <address>', text: 'address of the first node' },
    { flags: '--client <address>', text: 'address of HTTP and DNS; default 127.0.0.1' },
    { flags: '--http-port <port>', text: 'default 8500; 0 takes a free one, -1 switches HTTP off', value: 'port' },
    { flags: '--dns-port <port>', text: 'default 8600; 0 takes a free one, -1 switches DNS off', value: 'port' },
    { flags: '--data-dir <directory>', text: 'state of the agent; default /var/lib/drover' },
    { flags: '--config-file <file...>', text: 'configuration files' },
    { flags: '--config-dir <directory...>', text: 'directories of configuration files' },
    { flags: '--log-level <level>', text: 'default info', value: ['trace', 'debug', 'info', 'warn', 'error'] },
    { flags: '--timing <preset>', text: 'default lan', value: ['local', 'lan', 'wan'] },
    { flags: '--legacy', text: 'Consul’s behaviour of before 1.4 where it differs' },
    { flags: '--enable-script-checks', text: 'take script checks through the API as well' },
  ],
  async run({ options, host }) {
    const abort = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      // The second one ends it at once.
      const off = host.onSignal(name, () => {
        off();
        abort.abort();
      });
    }
    const { runAgent } = await import('../../agent/index.ts');
    const { json: _json, httpAddr: _httpAddr, ...flags } = options;
    await runAgent(flags as AgentFlags, abort.signal);
    return 0;
  },
};
