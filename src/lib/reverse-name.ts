import { isIPv4 } from 'node:net';

/**
 * The name under which PTR records tell whose an IP address is (RFC 1035 3.5, RFC 3596 2.5).
 *
 * @example reverseName('192.0.2.1'); // '1.2.0.192.in-addr.arpa.'
 */
export function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split('.').toReversed().join('.')}.in-addr.arpa.`;
  const digits = groupsOf(address).map((group) => group.padStart(4, '0'));
  return `${digits.join('').split('').toReversed().join('.')}.ip6.arpa.`;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): string[] {
  // The parser of URLs writes an IPv4 tail as groups, and all else in one form.
  const plain = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [head = [], tail = []] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')));
  if (!plain.includes('::')) return head;
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
}
