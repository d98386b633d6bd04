import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { DnsServer, parseDnsOptions } from '../../src/dns/index.ts';
import type { DnsInput, PreparedQueries } from '../../src/dns/index.ts';
import { systemClock } from '../../src/lib/index.ts';
import { startTestRegistry } from '../../src/registry/testing.ts';
import type { NodeLiteral, TestRegistry } from '../../src/registry/testing.ts';
import { findComponent } from '../require-component.ts';
import { endOf } from './acceptance-processes.ts';
import { until } from '../until.ts';

const run = promisify(execFile);

/** Where somebody answers DNS. */
export interface At {
  readonly address: string;
  readonly port: number;
}

export interface StartedDns {
  readonly region: TestRegistry;
  readonly dns: DnsServer;
}

/** A region in memory and its DNS, which end with the stack. */
export async function startDns(
  left: AsyncDisposableStack,
  nodes: readonly NodeLiteral[],
  input: Partial<DnsInput> = {},
  more: Partial<At> & { readonly queries?: PreparedQueries } = {},
): Promise<StartedDns> {
  const region = left.use(await startTestRegistry({ nodes, clock: systemClock }));
  const options = parseDnsOptions({ datacenter: 'aws', ...input });
  const { catalog, feed } = region;
  const at = { address: '127.0.0.1', port: 0, ...more };
  return { region, dns: left.use(await DnsServer.start({ catalog, feed, options, clock: systemClock, ...at })) };
}

/** What dig prints, taken apart; spaces made single. */
export interface Dug {
  readonly status: string;
  readonly flags: string;
  readonly counts: readonly number[];
  readonly octets: number;
  readonly answer: string[];
  readonly authority: string[];
  readonly additional: string[];
}

/** Asks with dig. */
export async function dig({ address, port }: At, ...words: string[]): Promise<Dug> {
  const common = [`@${address}`, '-p', String(port), '+tries=2', '+time=5'];
  const { stdout } = await run(findComponent('dig') as string, [...common, ...words]);
  const section = (name: string): string[] => {
    const found = new RegExp(`;; ${name} SECTION:\n((?:[^;\n].*\n)+)`).exec(stdout)?.[1] ?? '';
    return found
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replaceAll(/\s+/g, ' '));
  };
  return {
    status: /status: (\w+)/.exec(stdout)?.[1] ?? '',
    flags: /;; flags: ([a-z ]*);/.exec(stdout)?.[1] ?? '',
    counts: [...(/ANSWER: (\d+), AUTHORITY: (\d+), ADDITIONAL: (\d+)/.exec(stdout) ?? [])].slice(1).map(Number),
    octets: Number(/MSG SIZE {2}rcvd: (\d+)/.exec(stdout)?.[1]),
    answer: section('ANSWER'),
    authority: section('AUTHORITY'),
    additional: section('ADDITIONAL'),
  };
}

/** A port of an address that nobody holds for UDP or TCP. */
export async function freePort(address: string): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, address);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = createSocket('udp4');
    const bound = once(socket, 'listening').then(
      () => true,
      () => false,
    );
    socket.bind(port, address);
    const isFree = await bound;
    socket.close();
    server.close();
    await once(server, 'close');
    if (isFree) return port;
  }
}

/** A folder that goes with the stack. */
export async function folder(left: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'drover-dns-'));
  left.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A daemon that stays in the foreground; it is killed with the stack. What it said is in the error when it ends early. */
export async function startDaemon(
  left: AsyncDisposableStack,
  program: string,
  args: readonly string[],
  isReady: () => Promise<boolean>,
): Promise<void> {
  const child = spawn(findComponent(program) as string, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  left.defer(async () => {
    child.kill('SIGKILL');
    await endOf(child);
  });
  await until(`${program} answers`, async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
    return isReady();
  });
}

async function answers(at: At, name: string): Promise<boolean> {
  return dig(at, '+tries=1', '+time=1', name, 'SOA').then(
    ({ status }) => status !== '',
    () => false,
  );
}

/** BIND listens only on addresses that an interface has been given. */
const BIND_ADDRESS = '127.0.0.1';

/** BIND with these options beside the usual and these zones, on a free port. */
export async function startBind(
  left: AsyncDisposableStack,
  { options = '', zones }: { readonly options?: string; readonly zones: string },
  files: Readonly<Record<string, string>> = {},
): Promise<At> {
  const directory = await folder(left);
  const address = BIND_ADDRESS;
  const port = await freePort(address);
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(directory, name), text);
  await writeFile(
    path.join(directory, 'named.conf'),
    `options { directory "${directory}"; listen-on port ${port} { ${address}; }; listen-on-v6 { none; };
  allow-transfer { none; }; notify no; pid-file none; session-keyfile none; dnssec-validation no; ${options} };
controls {};
${zones}`,
  );
  const at = { address, port };
  const args = ['-g', '-4', '-n', '1', '-c', path.join(directory, 'named.conf')];
  await startDaemon(left, 'named', args, () => answers(at, 'ready.test'));
  return at;
}

/** unbound with these clauses, on an address of its own. */
export async function startUnbound(
  left: AsyncDisposableStack,
  address: string,
  { server = '', zones }: { readonly server?: string; readonly zones: string },
): Promise<At> {
  const directory = await folder(left);
  const port = await freePort(address);
  const file = path.join(directory, 'unbound.conf');
  await writeFile(
    file,
    `server:
  interface: ${address}
  port: ${port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  num-threads: 1
  do-not-query-localhost: no
${server}
remote-control:
  control-enable: no
${zones}`,
  );
  const at = { address, port };
  await startDaemon(left, 'unbound', ['-d', '-p', '-c', file], () => answers(at, 'localhost'));
  return at;
}
