import { ApiError } from '../../../client/src/index.ts';
import { usageError } from '../errors.ts';
import { plainText } from '../plain-text.ts';
import { isSet, type ConsulCommand } from './consul-command.ts';

interface Member {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  readonly Status: number;
  readonly ProtocolCur: number;
  readonly Tags: Readonly<Record<string, string>>;
}

const STATUSES: readonly string[] = ['none', 'alive', 'leaving', 'left', 'failed'];

/** Lists the members that an agent knows, as Consul's table. */
export const members: ConsulCommand = {
  usage: 'members [-detailed] [-status REGEX] [-wan]',
  flags: { detailed: 'flag', status: 'text', wan: 'flag', segment: 'text', filter: 'text' },
  async run(invocation) {
    const { client, flags, host, query } = invocation;
    const wan = isSet(invocation, 'wan') ? { wan: '1' } : {};
    const { body } = await client.request('/v1/agent/members', { query: { ...query, ...wan } });
    const wanted = flags.get('status') as string | undefined;
    const shown = (body as Member[]).filter(({ Status }) => isWanted(STATUSES[Status] ?? 'unknown', wanted));
    if (shown.length === 0) return 2;
    const isDetailed = isSet(invocation, 'detailed');
    const heading = isDetailed ? DETAILED : STANDARD;
    const rows = shown.map((member) => (isDetailed ? detailedRow(member) : standardRow(member)));
    host.stdout(columns([heading, ...rows]));
    return 0;
  },
};

const STANDARD = ['Node', 'Address', 'Status', 'Type', 'Build', 'Protocol', 'DC', 'Partition', 'Segment'];
const DETAILED = ['Node', 'Address', 'Status', 'Tags'];

/** The operator's own expression on the operator's own machine; Consul's is anchored by nobody. */
function isWanted(status: string, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  try {
    return new RegExp(wanted).test(status);
  } catch {
    throw usageError(`-status: ${JSON.stringify(wanted)} is no regular expression`);
  }
}

function standardRow({ Name, Addr, Port, Status, ProtocolCur, Tags }: Member): string[] {
  const type = Tags['role'] === 'consul' ? 'server' : 'client';
  const build = (Tags['build'] ?? '').split(':', 1)[0] as string;
  const segment = type === 'server' ? '<all>' : '<default>';
  const status = STATUSES[Status] ?? 'unknown';
  return [Name, addressOf(Addr, Port), status, type, build, String(ProtocolCur), Tags['dc'] ?? '', 'default', segment];
}

function detailedRow({ Name, Addr, Port, Status, Tags }: Member): string[] {
  const tags = Object.entries(Tags).map(([key, value]) => `${key}=${value}`);
  return [Name, addressOf(Addr, Port), STATUSES[Status] ?? 'unknown', tags.toSorted().join(',')];
}

function addressOf(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '));
  return `${plainText(lines.map((line) => line.trimEnd()).join('\n'))}\n`;
}

/** Prints the agent's statistics, a map for each part. */
export const info: ConsulCommand = {
  usage: 'info',
  flags: {},
  async run({ client, host, query }) {
    const { body } = await client.request('/v1/agent/self', { query });
    const { Stats } = body as { readonly Stats: Readonly<Record<string, Readonly<Record<string, string>>>> };
    const lines = sorted(Stats).flatMap(([name, values]) => [
      `${name}:`,
      ...sorted(values).map(([key, value]) => `\t${key} = ${value}`),
    ]);
    host.stdout(`${plainText(lines.join('\n'))}\n`);
    return 0;
  },
};

function sorted<T>(map: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(map).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** Makes the agent leave and end. */
export const leave: ConsulCommand = {
  usage: 'leave',
  flags: {},
  async run({ client, host, query }) {
    await client.request('/v1/agent/leave', { method: 'PUT', query });
    host.stdout('Graceful leave complete\n');
    return 0;
  },
};

/** Makes the agent read its configuration again. */
export const reload: ConsulCommand = {
  usage: 'reload',
  flags: {},
  async run({ client, host, query }) {
    await client.request('/v1/agent/reload', { method: 'PUT', query });
    host.stdout('Configuration reload triggered\n');
    return 0;
  },
};

/** Makes the agent join others. */
export const join: ConsulCommand = {
  usage: 'join [-wan] ADDRESS…',
  flags: { wan: 'flag' },
  async run(invocation) {
    const { args, client, host, query } = invocation;
    if (args.length === 0) throw usageError('At least one address to join must be specified.');
    const wan = isSet(invocation, 'wan') ? { wan: '1' } : {};
    let joined = 0;
    for (const address of args) {
      const path = `/v1/agent/join/${encodeURIComponent(address)}`;
      try {
        await client.request(path, { method: 'PUT', query: { ...query, ...wan } });
        joined++;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        host.stderr(plainText(`Error joining address '${address}': ${error.message}\n`));
      }
    }
    if (joined === 0) host.stderr('Failed to join any nodes.\n');
    else host.stdout(`Successfully joined cluster by contacting ${joined} nodes.\n`);
    return joined === args.length ? 0 : 1;
  },
};

/** Makes the region take a failed node for one that left. */
export const forceLeave: ConsulCommand = {
  usage: 'force-leave [-prune] NODE',
  flags: { prune: 'flag', wan: 'flag' },
  async run(invocation) {
    const { args, client, query } = invocation;
    const [node] = args;
    if (node === undefined || args.length > 1) throw usageError('A single node name must be specified to force leave.');
    const prune = isSet(invocation, 'prune') ? { prune: '1' } : {};
    await client.request(`/v1/agent/force-leave/${encodeURIComponent(node)}`, {
      method: 'PUT',
      query: { ...query, ...prune },
    });
    return 0;
  },
};
