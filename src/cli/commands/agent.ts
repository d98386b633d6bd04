import type { AgentFlags } from '../../agent/index.ts';
import type { Command, Invocation } from '../command.ts';
import { SETTINGS, settingsOf } from '../consul/agent-flags.ts';
import { parseGoFlags, type FlagValue } from '../consul/go-flags.ts';
import { runUntilSignalled } from '../run-until-signalled.ts';

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
    { flags: '--store <url>', text: 'sqlite:DIR, etcd://HOST:PORT,… or memory:' },
    { flags: '--node <name>', text: 'name of the first node; default the host’s' },
    { flags: '--datacenter <name>', text: 'the region; default dc1' },
    { flags: '--domain <name>', text: 'DNS domain; default consul.' },
    { flags: '--alt-domain <name>', text: 'a second DNS domain' },
    { flags: '--recursor <address...>', text: 'DNS servers that are asked for all other names' },
    { flags: '--bind <address>', text: 'address of the first node' },
    { flags: '--advertise <address>', text: 'the same, where others see another one' },
    { flags: '--node-id <uuid>', text: 'id of the first node; made from its name' },
    { flags: '--node-meta <key:value...>', text: 'metadata of the first node' },
    {
      flags: '--join <address...>',
      text: 'servers of the region, for a node without one of its own: HOST[:PORT][,HOST[:PORT]…]',
    },
    { flags: '--retry-join <address...>', text: 'the same' },
    { flags: '--client <address>', text: 'address of HTTP and DNS, or several in quotes; default 127.0.0.1' },
    { flags: '--http-port <port>', text: 'default 8500; 0 takes a free one, -1 switches HTTP off', value: 'port' },
    { flags: '--dns-port <port>', text: 'default 8600; 0 takes a free one, -1 switches DNS off', value: 'port' },
    { flags: '--data-dir <directory>', text: 'state of the agent; default /var/lib/drover' },
    { flags: '--config-file <file...>', text: 'configuration files' },
    { flags: '--config-dir <directory...>', text: 'directories of configuration files' },
    { flags: '--config-format <format>', text: 'of all files, whatever their names say', value: ['json', 'hcl'] },
    { flags: '--hcl <text...>', text: 'configuration in HCL; wins over files' },
    { flags: '--pid-file <file>', text: 'holds the process id while the agent runs' },
    { flags: '--log-level <level>', text: 'default info', value: ['trace', 'debug', 'info', 'warn', 'error'] },
    { flags: '--timing <preset>', text: 'default lan', value: ['local', 'lan', 'wan'] },
    { flags: '--legacy', text: 'Consul’s behaviour of before 1.4 where it differs' },
    { flags: '--enable-script-checks', text: 'take script checks through the API as well' },
    { flags: '--enable-local-script-checks', text: 'take script checks from files, as by default' },
  ],
  async run({ options, host }) {
    await runUntilSignalled(toAgentFlags(options), host);
    return 0;
  },
};

/** The options as the agent takes them; what only the configuration knows goes into its form. */
function toAgentFlags(options: Invocation['options']): AgentFlags {
  const { json: _json, httpAddr: _httpAddr, tokenFile: _tokenFile, hcl = [], nodeMeta, ...rest } = options;
  const settings = settingsOf(new Map([...settingsIn(rest), ...metaOf(nodeMeta as readonly string[] | undefined)]));
  const flags = Object.fromEntries(Object.entries(rest).filter(([key]) => !Object.hasOwn(SETTINGS, dashed(key))));
  return {
    ...(flags as AgentFlags),
    inline: (hcl as readonly string[]).map((text) => ({ from: '--hcl', text, format: 'hcl' as const })),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
  };
}

function settingsIn(options: Invocation['options']): [string, FlagValue][] {
  return Object.entries(options).flatMap(([key, value]): [string, FlagValue][] =>
    Object.hasOwn(SETTINGS, dashed(key)) ? [[dashed(key), value as FlagValue]] : [],
  );
}

function metaOf(pairs: readonly string[] | undefined): [string, FlagValue][] {
  if (pairs === undefined) return [];
  const { flags } = parseGoFlags(
    pairs.map((pair) => `-node-meta=${pair}`),
    { 'node-meta': 'map' },
  );
  return [...flags];
}

function dashed(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
