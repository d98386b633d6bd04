import { lstat, mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fingerprint } from '../lib/index.ts';
import { haproxyEnded } from './errors.ts';

/** sun_path holds 108 bytes and HAProxy binds a temporary name of up to 13 more first. */
const LONGEST_SOCKET = 90;

/** Where a node's HAProxy has its files. */
export interface HaproxyFiles {
  /** What runs, and what a restart reads. */
  readonly configuration: string;
  readonly candidate: string;
  /** The last one that HAProxy refused, for people. */
  readonly refused: string;
  readonly state: string;
  readonly log: string;
  readonly adminSocket: string;
  readonly masterSocket: string;
}

/** The files under a directory of the node, created mode 0700; its sockets elsewhere when their paths would be too long. */
export async function openHaproxyFiles(directory: string): Promise<HaproxyFiles> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const sockets = await socketDirectory(path.resolve(directory));
  const file = (name: string): string => path.resolve(directory, name);
  return {
    configuration: file('haproxy.cfg'),
    candidate: file('haproxy.candidate.cfg'),
    refused: file('haproxy.refused.cfg'),
    state: file('haproxy.json'),
    log: file('haproxy.log'),
    adminSocket: path.join(sockets, 'admin.sock'),
    masterSocket: path.join(sockets, 'master.sock'),
  };
}

async function socketDirectory(directory: string): Promise<string> {
  if (Buffer.byteLength(path.join(directory, 'master.sock')) <= LONGEST_SOCKET) return directory;
  const uid = process.getuid?.() ?? 0;
  const short = path.join(os.tmpdir(), `drover-${uid}-${fingerprint(directory).slice(0, 12)}`);
  await mkdir(short, { recursive: true, mode: 0o700 });
  // In a folder that others write to, the name may have been taken by one of them.
  const found = await lstat(short);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw haproxyEnded(`${short} is not a directory of this user alone`);
  }
  return short;
}
