export { BatchedUdpTransport } from './batched-udp-transport.ts';
export {
  DnsServer,
  type DnsContent,
  type DnsServerOptions,
  type DnsServing,
  type ForwardedContent,
} from './dns-server.ts';
export { SharedAnswers, type RegionsAnswer, type RegionsQuestion } from './shared-answers.ts';
export { readShared, writeShared } from './shared-wire.ts';
export * from './errors.ts';
export { parseDnsOptions, serviceTtl, type DnsInput, type DnsOptions } from './options.ts';
export type { ExecutedQuery, PreparedQueries } from './prepared-queries.ts';
export { type RecursorAddress, parseRecursor } from './recursor-address.ts';
export { Responder, type Answer, type Peer, type ResponderOptions, type Shared, type Via } from './responder.ts';
export { TcpTransport, type TcpLimits } from './tcp-transport.ts';
export type { AnswerQuery, Transport, TransportOptions } from './transport.ts';
export { UdpTransport } from './udp-transport.ts';
