export * from './channel-pair.ts';
export * from './channel.ts';
export * from './errors.ts';
export * from './messages.ts';
export * from './link-authority.ts';
export * from './link-pulse.ts';
export * from './link-refusal.ts';
export * from './node-doors.ts';
export * from './node-link.ts';
export * from './open-websocket.ts';
export * from './question-desk.ts';
export * from './region-links.ts';
export type { NodeAuthority, RegionLinksOptions } from './region-link.ts';
export * from './registration-digest.ts';
export type { GivenRecords, WantedRecords } from './registration-match.ts';
export * from './websocket-channel.ts';
export * from './websocket-entrance.ts';
export type { Answer, Ask, NodeQuestions, QuestionKind, RegionQuestions } from './questions.ts';
export { PeerKey } from './peer-key.ts';
export {
  PeerLinks,
  unheardConsumers,
  type PeerLinksOptions,
  type PeerStatus,
  type ServerDirectory,
} from './peer-links.ts';
export {
  parsePeerMessage,
  parsePeerReply,
  PEER_LINK_PATH,
  PEER_PROTOCOL,
  type PeerMessage,
  type PeerReply,
} from './peer-messages.ts';
export type { HearerChannel } from './peer-hearer.ts';
export type { SpeakerChannel } from './peer-speaker.ts';
