import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address in the one form in which it is compared; whatever is no address stays as it is. */
export function normalAddress(address: string): string {
  return isIPv6(address) && !address.includes('%') ? ipaddr.parse(address).toString() : address;
}
