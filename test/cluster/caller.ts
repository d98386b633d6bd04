import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Who may call: a name for each process. */
export type Parties = ReadonlyMap<number, string>;

/** The columns of /proc/net/tcp that matter: own address and port in hexadecimal, inode of the socket. */
const OWN_ADDRESS = 1;
const INODE = 9;

/**
 * The name of the process that made the connection from `port` of this machine, undefined for one that is in no list. Looks the
 * socket up in /proc: all parties of a test call from one address, so nothing else tells them apart.
 */
export function callerOf(port: number, parties: Parties): string | undefined {
  const inode = inodeOf(port);
  if (inode === undefined) return undefined;
  const link = `socket:[${inode}]`;
  for (const [pid, name] of parties) if (holds(pid, link)) return name;
  return undefined;
}

function inodeOf(port: number): string | undefined {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[OWN_ADDRESS]?.endsWith(end) === true && columns[INODE] !== '0') return columns[INODE];
  }
  return undefined;
}

function holds(pid: number, link: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((descriptor) => readsAs(`${folder}/${descriptor}`, link));
  } catch {
    return false;
  }
}

function readsAs(file: string, link: string): boolean {
  try {
    return readlinkSync(file) === link;
  } catch {
    return false;
  }
}
