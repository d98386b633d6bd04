import { readFile, readdir, readlink } from 'node:fs/promises';
import net from 'node:net';

/** Who listens on a port. */
export interface PortHolder {
  /** 0 when the process is not ours to see. */
  readonly pid: number;
  /** The words it was started with; empty when unknown. */
  readonly command: readonly string[];
}

/**
 * Who listens on an address and port, on it alone or on all addresses; null when nobody does. Reads proc(5); with
 * several holders (SO_REUSEPORT) the first one that can be seen.
 */
export async function findPortHolder(
  address: string,
  port: number,
  protocol: 'TCP' | 'UDP' = 'TCP',
): Promise<PortHolder | null> {
  const tables = protocol === 'TCP' ? (['tcp', 'tcp6'] as const) : (['udp', 'udp6'] as const);
  const sockets = (await Promise.all(tables.map(listeners))).flat();
  const inodes = new Set(
    sockets.filter((one) => one.port === port && covers(one.address, address)).map((one) => one.inode),
  );
  if (inodes.size === 0) return null;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    if (await holdsSocket(pid, inodes)) return { pid, command: await commandOf(pid) };
  }
  return { pid: 0, command: [] };
}

/** A holder for people: `nginx (pid 812)`. */
export function describeHolder(holder: PortHolder): string {
  if (holder.pid === 0) return 'a process of another user';
  const [program = 'a process', ...args] = holder.command;
  const script = /(^|\/)(node|python3?|ruby|perl|bash|sh)$/.test(program)
    ? args.find((word) => !word.startsWith('-'))
    : undefined;
  const name = (word: string): string => word.slice(word.lastIndexOf('/') + 1);
  return `${[program, ...(script === undefined ? [] : [script])].map(name).join(' ')} (pid ${holder.pid})`;
}

interface Listener {
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** States of a socket that takes what comes from anywhere: TCP_LISTEN; for UDP unconnected is TCP_CLOSE. */
const WAITING = { tcp: '0A', tcp6: '0A', udp: '07', udp6: '07' };

/** Rows of /proc/net/tcp and its siblings: `sl local_address rem_address st … inode`, addresses in hex, each word in host order. */
async function listeners(table: keyof typeof WAITING): Promise<Listener[]> {
  const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === WAITING[table])
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] as string).split(':');
      return { address: decodeAddress(address), port: Number.parseInt(port, 16), inode: fields[9] as string };
    });
}

/** `0100007F` is 127.0.0.1 where words are little-endian, which is every machine that Node 26 runs on. */
function decodeAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  return new net.SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

function covers(held: string, wanted: string): boolean {
  return held === '0.0.0.0' || held === '::' || held.replace(/^::ffff:(?=\d+\.)/, '') === wanted;
}

async function holdsSocket(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const fd of fds) {
    const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

async function commandOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0').filter((word) => word !== '');
}
