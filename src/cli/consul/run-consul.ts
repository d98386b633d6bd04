import { DroverClient } from '../../../client/src/index.ts';
import { agentAddress, agentToken } from '../agent-address.ts';
import { consulCommandLeftOut } from '../errors.ts';
import type { Host } from '../host.ts';
import { reportFailure } from '../report-failure.ts';
import type { ConsulCommand } from './consul-command.ts';
import { parseGoFlags, type FlagKind } from './go-flags.ts';
import { consulVersion } from './version.ts';

/** Consul's commands that drover has under their own names, each with its subcommands. */
const COMMANDS: Readonly<Record<string, () => Promise<ConsulCommand>>> = {
  members: async () => (await import('./cluster-commands.ts')).members,
  info: async () => (await import('./cluster-commands.ts')).info,
  leave: async () => (await import('./cluster-commands.ts')).leave,
  reload: async () => (await import('./cluster-commands.ts')).reload,
  join: async () => (await import('./cluster-commands.ts')).join,
  'force-leave': async () => (await import('./cluster-commands.ts')).forceLeave,
  watch: async () => (await import('./watch-command.ts')).watch,
  'kv get': async () => (await import('./kv-commands.ts')).kvGet,
  'kv put': async () => (await import('./kv-commands.ts')).kvPut,
  'kv delete': async () => (await import('./kv-commands.ts')).kvDelete,
};

/** What to type in place of Consul's other commands. */
const INSTEAD: Readonly<Record<string, string>> = {
  acl: 'drover acl:…',
  catalog: 'drover node:list, drover service:list',
  event: 'drover event:fire',
  exec: 'drover provision',
  'kv export': 'drover kv:list --json',
  'kv import': 'drover kv:put',
  lock: 'PUT /v1/session/create and ?acquire=',
  logout: 'drover acl:…',
  login: 'drover acl:…',
  maint: 'drover node:maintenance',
  monitor: 'GET /v1/agent/monitor',
  operator: 'drover doctor',
  services: 'PUT /v1/agent/service/register',
  snapshot: 'GET and PUT /v1/snapshot',
  validate: 'drover agent, which says what is wrong with its configuration',
};

/** Flags of every command that asks an agent; those of TLS are taken as they come. */
const CLIENT_FLAGS: Readonly<Record<string, FlagKind>> = {
  'http-addr': 'text',
  token: 'text',
  'token-file': 'text',
  datacenter: 'text',
  namespace: 'text',
  partition: 'text',
  stale: 'flag',
  'ca-file': 'text',
  'ca-path': 'text',
  'client-cert': 'text',
  'client-key': 'text',
  'tls-server-name': 'text',
};

/** Runs a command line of Consul's: what stands behind the name `consul`. Gives its exit status; throws nothing. */
export async function runConsul(words: readonly string[], host: Host): Promise<number> {
  try {
    return await dispatch(words, host);
  } catch (error) {
    return reportFailure(error, host, false);
  }
}

async function dispatch([name = 'help', ...rest]: readonly string[], host: Host): Promise<number> {
  if (['version', '-v', '-version', '--version'].includes(name)) return print(host, consulVersion());
  if (['help', '-h', '-help', '--help'].includes(name)) return print(host, helpText());
  if (name === 'agent') return (await import('./agent.ts')).runConsulAgent(rest, host);
  const [sub = ''] = rest;
  const single = commandOf(name);
  if (single !== undefined) return runCommand(await single(), rest, host);
  const double = commandOf(`${name} ${sub}`);
  if (double !== undefined) return runCommand(await double(), rest.slice(1), host);
  throw leftOut(name, sub);
}

function commandOf(name: string): (() => Promise<ConsulCommand>) | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

function print(host: Host, text: string): number {
  host.stdout(text);
  return 0;
}

async function runCommand(command: ConsulCommand, words: readonly string[], host: Host): Promise<number> {
  if (words.some((word) => /^--?h(?:elp)?$/.test(word))) return print(host, `Usage: consul ${command.usage}\n`);
  const { flags, args } = parseGoFlags(words, { ...CLIENT_FLAGS, ...command.flags });
  const token = (flags.get('token') as string | undefined) ?? (await tokenFrom(flags.get('token-file'))) ?? '';
  const given = token === '' ? agentToken(host.environment) : token;
  const client = new DroverClient({
    address: agentAddress(flags.get('http-addr'), host.environment),
    ...(given === undefined ? {} : { token: given }),
    ...(host.fetch === undefined ? {} : { fetch: host.fetch }),
  });
  const dc = flags.get('datacenter');
  const query = {
    ...(dc === undefined ? {} : { dc: dc as string }),
    ...(flags.get('stale') === true ? { stale: '' } : {}),
  };
  return command.run({ flags, args, query, client, host });
}

async function tokenFrom(file: unknown): Promise<string | undefined> {
  if (typeof file !== 'string') return undefined;
  const { readFile } = await import('node:fs/promises');
  return (await readFile(file, 'utf8')).trim();
}

function leftOut(name: string, sub: string): Error {
  const full = Object.hasOwn(INSTEAD, `${name} ${sub}`) ? `${name} ${sub}` : name;
  const instead = Object.hasOwn(INSTEAD, full) ? (INSTEAD[full] as string) : undefined;
  const names = `${Object.keys(COMMANDS).join(', ')}, agent, version`;
  return consulCommandLeftOut.with(
    { hint: instead === undefined ? `it is one of ${names}; drover help lists drover’s own` : `use ${instead}` },
    full,
  );
}

function helpText(): string {
  const names = ['agent', 'version', ...Object.keys(COMMANDS)].map((name) => `    ${name}`).join('\n');
  return `Usage: consul COMMAND [FLAGS] [ARGUMENTS]\n\nThis is drover in place of Consul. Of Consul's commands it has:\n${names}\n\nIts own are listed by: drover help\n`;
}
