import ipaddr from 'ipaddr.js';

/**
 * The name under which PTR records tell whose an IP address is (RFC 1035 3.5, RFC 3596 2.5).
 *
 * @example reverseName('192.0.2.1'); // '1.2.0.192.in-addr.arpa.'
 */
export function reverseName(address: string): string {
  const octets = ipaddr.parse(address).toByteArray();
  if (octets.length === 4) return `${octets.toReversed().join('.')}.in-addr.arpa.`;
  const digits = octets.toReversed().flatMap((octet) => [octet & 15, octet >> 4]);
  return `${digits.map((digit) => digit.toString(16)).join('.')}.ip6.arpa.`;
}
