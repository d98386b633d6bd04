import net from 'node:net';
import type { Frontend, Member } from '../registry/index.ts';
import { backendName } from './names.ts';

/** Weight 1 is 100 in HAProxy, so that halves and tenths of it are not rounded to nothing. */
const BASE_WEIGHT = 100;
const MAX_WEIGHT = 256;
const LONGEST_COMPLAINT = 300;

/** One member as HAProxy should have it. */
export interface WantedServer {
  readonly key: string;
  /** IP address as HAProxy prints it. */
  readonly address: string;
  readonly port: number;
  /** 0-256. */
  readonly weight: number;
  readonly draining: boolean;
}

/** One frontend and backend as HAProxy should have them. */
export interface WantedBackend {
  readonly service: string;
  readonly name: string;
  readonly port: number;
  readonly protocol: 'http' | 'tcp';
  readonly servers: readonly WantedServer[];
}

/** HAProxy refuses a configuration with a line of 2 KiB: the rest of it holds address, port and weight. */
const LONGEST_NAME = 1_900;

/** The backend that a frontend of the view asks for. Members that HAProxy could not take are left out: see `unusableMembers`. */
export function wantedBackend(frontend: Frontend): WantedBackend {
  const members = frontend.members.filter(isUsable).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const weightOf = weightScale(members);
  return {
    service: frontend.service,
    name: backendName(frontend.service),
    port: frontend.port,
    protocol: frontend.protocol,
    servers: members.map((member) => ({
      key: member.key,
      address: canonicalAddress(member.address),
      port: member.port,
      weight: weightOf(member.weight),
      draining: member.draining,
    })),
  };
}

/** Why some members of a frontend cannot be used: HAProxy resolves no names of servers that are added at run time. */
export function unusableMembers(frontend: Frontend): string[] {
  return frontend.members
    .filter((member) => !isUsable(member))
    .map(({ key, address, port }) => {
      const { service } = frontend;
      if (!hasNameThatFits({ key })) return shown(`${service}: a name is too long for HAProxy: ${key}`);
      return shown(`${service}: ${key} has no usable address: ${address}:${port}`);
    });
}

/**
 * Scales instance weights to HAProxy's 0-256 in proportion: 1 becomes 100, or less where a heavier member of the same
 * backend would not fit; what is above 0 stays above 0.
 */
export function weightScale(members: readonly { readonly weight: number }[]): (weight: number) => number {
  const heaviest = Math.max(1, ...members.map((member) => member.weight));
  const factor = Math.min(BASE_WEIGHT, MAX_WEIGHT / heaviest);
  return (weight) => (weight > 0 ? Math.max(1, Math.round(weight * factor)) : 0);
}

/** An address and port as one word: `127.0.0.1:80`, `[::1]:80`. */
export function endpoint(address: string, port: number): string {
  return net.isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function isUsable(member: Member): boolean {
  return net.isIP(member.address) !== 0 && member.port > 0 && member.port < 65_536 && hasNameThatFits(member);
}

function hasNameThatFits({ key }: Pick<Member, 'key'>): boolean {
  return backendName(key).length <= LONGEST_NAME;
}

/** One line of a receipt's reason, whatever names and addresses hold. */
function shown(text: string): string {
  const line = text.replaceAll(/\p{Cc}/gu, '?');
  return line.length <= LONGEST_COMPLAINT ? line : `${line.slice(0, LONGEST_COMPLAINT)}…`;
}

function canonicalAddress(address: string): string {
  if (net.isIPv4(address)) return address;
  return new net.SocketAddress({ address, family: 'ipv6' }).address;
}
