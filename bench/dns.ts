import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { queryOf } from '../src/dns/testing.ts';
import { TYPE } from '../src/message/index.ts';
import { findComponent } from '../test/require-component.ts';
import { questions, zoneFile } from './dns-zone.ts';
import { median, rounded } from './result.ts';
import type { BenchOptions, BenchResult } from './result.ts';

const ROUNDS = 5;
const ROUND_SECONDS = 3;
/** Linux counts CPU time in hundredths of a second for /proc. */
const TICK_US = 10_000;
const SERVER_CORE = '0';
const LOAD_CORE = availableParallelism() > 1 ? '1' : '0';

/**
 * CPU time a query costs drover's DNS and BIND with the same records and answers: A and SRV of 2,000 services with three
 * instances each. Server and load on a core each, rounds interleaved, the first of each thrown away as warm-up.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const [rounds, seconds] = quick ? [1, 1] : [ROUNDS, ROUND_SECONDS];
  const name = 'dns: CPU per query against BIND';
  const bound = 'median CPU per query ≤ 1.0 of that of BIND';
  const missing = ['named', 'dnsperf', 'taskset'].filter((one) => findComponent(one) === null);
  if (missing.length > 0)
    return { name, bound, rows: [{ skipped: `not installed: ${missing.join(', ')}` }], ok: false };
  await using left = new AsyncDisposableStack();
  const directory = await mkdtemp(path.join(tmpdir(), 'drover-bench-dns-'));
  left.defer(() => rm(directory, { recursive: true, force: true }));
  const file = path.join(directory, 'questions');
  await writeFile(file, questions());
  const servers = [await startBind(directory, left), await startDrover(left)];
  const costs = new Map<string, number[]>(servers.map((server) => [server.name, []]));
  const rates = new Map<string, number[]>(servers.map((server) => [server.name, []]));
  for (let round = 0; round <= rounds; round++)
    for (const server of servers) {
      const { cpuUs, rate } = await measure(server, file, seconds);
      if (round === 0) continue;
      costs.get(server.name)?.push(cpuUs);
      rates.get(server.name)?.push(rate);
    }
  const rows = servers.map((server) => row(server.name, costs.get(server.name) ?? [], rates.get(server.name) ?? []));
  const [bind, drover] = servers.map((server) => median(costs.get(server.name) ?? []));
  const ratio = (drover ?? Number.NaN) / (bind ?? Number.NaN);
  return { name, bound, rows: [...rows, { server: 'ratio', cpuUsPerQuery: rounded(ratio) }], ok: ratio <= 1 };
}

interface Server {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
}

function row(server: string, costs: readonly number[], rates: readonly number[]): Record<string, string | number> {
  const between = `${rounded(Math.min(...costs))}-${rounded(Math.max(...costs))}`;
  return { server, cpuUsPerQuery: rounded(median(costs)), between, queriesPerSecond: Math.round(median(rates)) };
}

/** `taskset` stands before what it starts and then is it: the child's pid is the server's. */
const pinned = (core: string, command: string, ...words: string[]): [string, string[]] => [
  findComponent('taskset') as string,
  ['-c', core, command, ...words],
];

async function startBind(directory: string, left: AsyncDisposableStack): Promise<Server> {
  const port = await freePort();
  await writeFile(path.join(directory, 'zone'), zoneFile());
  await writeFile(
    path.join(directory, 'named.conf'),
    `options { directory "${directory}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no;
  allow-transfer { none; }; notify no; minimal-responses no-auth; rrset-order { order random; }; querylog no;
  pid-file none; session-keyfile none; dnssec-validation no; };
controls {};
logging { channel none { null; }; category default { none; }; };
zone "consul" { type primary; file "${directory}/zone"; };
`,
  );
  const conf = path.join(directory, 'named.conf');
  const [command, words] = pinned(SERVER_CORE, findComponent('named') as string, '-f', '-4', '-n', '1', '-c', conf);
  const child = spawn(command, words, { stdio: 'ignore' });
  stopWith(left, child);
  await answering(port);
  return { name: 'BIND 9 (named -n 1)', pid: child.pid as number, port };
}

async function startDrover(left: AsyncDisposableStack): Promise<Server> {
  const host = path.join(import.meta.dirname, 'dns-host.ts');
  const child = fork(host, [], { execArgv: ['--disable-warning=ExperimentalWarning'] });
  stopWith(left, child);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const [command, words] = ['taskset', ['-a', '-c', '-p', SERVER_CORE, String(child.pid)]];
  await once(spawn(findComponent(command) as string, words, { stdio: 'ignore' }), 'close');
  await answering(port);
  return { name: 'drover', pid: child.pid as number, port };
}

function stopWith(left: AsyncDisposableStack, child: ChildProcess): void {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  left.defer(async () => {
    const closed = once(child, 'close');
    kill();
    await closed;
    process.off('exit', kill);
  });
}

async function measure({ pid, port }: Server, file: string, seconds: number): Promise<{ cpuUs: number; rate: number }> {
  const before = await cpuTicks(pid);
  const load = [
    '-s',
    '127.0.0.1',
    '-p',
    String(port),
    '-d',
    file,
    '-l',
    String(seconds),
    '-c',
    '4',
    '-T',
    '1',
    '-q',
    '100',
  ];
  const [command, words] = pinned(LOAD_CORE, findComponent('dnsperf') as string, ...load);
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  const said = await new Response(child.stdout).text();
  const ticks = (await cpuTicks(pid)) - before;
  const completed = Number(/Queries completed:\s+(\d+)/.exec(said)?.[1]);
  if (!/NOERROR \d+ \(100\.00%\)/.test(said)) throw new Error(`not every query was answered with records:\n${said}`);
  return { cpuUs: (ticks * TICK_US) / completed, rate: completed / seconds };
}

/** User and system time of a process with all its threads, in clock ticks. */
async function cpuTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Resolves once the server answers, after 10 s at most. */
async function answering(port: number): Promise<void> {
  const socket = createSocket('udp4');
  try {
    // Not connected: that nobody listens yet would be an error of the socket.
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
    const timer = setInterval(() => socket.send(queryOf('service-1.service.consul.', TYPE.A), port, '127.0.0.1'), 100);
    await answered.finally(() => clearInterval(timer));
  } finally {
    socket.close();
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
