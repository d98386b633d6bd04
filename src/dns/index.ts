export { BatchedUdpTransport } from './batched-udp-transport.ts';
export { DnsServer, type DnsServerOptions } from './dns-server.ts';
export * from './errors.ts';
export { parseDnsOptions, serviceTtl, type DnsInput, type DnsOptions } from './options.ts';
export { Responder, type ResponderOptions, type Via } from './responder.ts';
export { TcpTransport, type TcpLimits } from './tcp-transport.ts';
export type { AnswerQuery, Transport, TransportOptions } from './transport.ts';
export { UdpTransport } from './udp-transport.ts';
