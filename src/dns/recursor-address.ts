import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

const DNS_PORT = 53;

/** A resolver that is asked about names outside the zone. */
export interface RecursorAddress {
  /** An IP address in its shortest form. */
  readonly address: string;
  readonly port: number;
}

/** Reads `192.0.2.1`, `192.0.2.1:5353`, `fd00::1` or `[fd00::1]:5353`; port 53 unless told. Null when it is none of them. */
export function parseRecursor(text: string): RecursorAddress | null {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const number = port === undefined ? DNS_PORT : Number(port);
  const isKnown = bracketed === undefined ? isIP(address) !== 0 : isIPv6(address);
  if (!isKnown || address.includes('%') || number < 1 || number > 65_535) return null;
  return { address: isIPv6(address) ? ipaddr.parse(address).toString() : address, port: number };
}
