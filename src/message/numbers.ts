/** Record types by name (RFC 1035, 2782, 3596, 6891, 1995). */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

/** Classes: everything drover answers is `IN`; `NONE` and `ANY` occur in questions and updates. */
export const CLASS = { IN: 1, CH: 3, NONE: 254, ANY: 255 } as const;

export const OPCODE = { QUERY: 0, NOTIFY: 4, UPDATE: 5 } as const;

/** Response codes; those above 15 need EDNS (RFC 6891 6.1.3). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

/** Length of a message's header in octets. */
export const HEADER_OCTETS = 12;
/** What a resolver without EDNS can take over UDP (RFC 1035 4.2.1). */
export const PLAIN_UDP_OCTETS = 512;
/** The longest message, as TCP's length prefix and the UDP header have 16 bits. */
export const MAX_MESSAGE_OCTETS = 65_535;
