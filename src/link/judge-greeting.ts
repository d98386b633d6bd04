import type { DroverError } from '../lib/index.ts';
import { nodeNameHeld, type NodeRegistration } from '../registry/index.ts';
import { linkBadGreeting, linkOldEpoch, linkProtocol } from './errors.ts';
import { PROTOCOL_VERSION, type NodeMessage } from './messages.ts';

export type Hello = Extract<NodeMessage, { type: 'hello' }>;

/** What is known here of who speaks for a node. */
export interface Speaker {
  /** Whose link is there. */
  readonly linked: LinkedSpeaker | undefined;
  /** The epoch that was taken up here last; undefined: none was. */
  readonly heard: number | undefined;
  /** The epoch that the registry holds; null: none. */
  readonly stored: number | null;
  /** Why whoever greets may not speak for it; null: it may. */
  readonly denial: DroverError | null;
  readonly wallMs: number;
}

interface LinkedSpeaker {
  readonly agent: string;
  readonly epoch: number;
  readonly record: NodeRegistration['node'];
  readonly isWelcome: boolean;
}

/**
 * Epochs are the wall clock in ms, or a little above the last one. One from the far future would be the last that anybody can say, and
 * the node could never greet again.
 */
const FARTHEST_MS = 1_000 * 365 * 86_400_000;
const MOST_STEPS = 1_000_000;

/** Why a first message is no greeting that is taken up; null: it is. `speakerOf` is asked of a node that it may be about. Pure. */
export function judgeGreeting(message: NodeMessage, speakerOf: (node: string) => Speaker): DroverError | null {
  if (message.type !== 'hello') return linkBadGreeting(`it is "${String(message.type)}"`);
  const { node, protocol, record } = message;
  if (protocol !== PROTOCOL_VERSION) return linkProtocol(protocol, PROTOCOL_VERSION);
  if (record.name !== node) return linkBadGreeting('it registers another node');
  const speaker = speakerOf(node);
  return speaker.denial ?? judgeSpeaker(message, speaker);
}

function judgeSpeaker({ node, agent, epoch, record }: Hello, speaker: Speaker): DroverError | null {
  const { linked, heard } = speaker;
  if (linked?.isWelcome === true && linked.agent !== agent)
    return nodeNameHeld(node, linked.record.address, linked.record.id, record.address);
  const known = linked?.epoch ?? heard ?? 0;
  if (epoch < known) return linkOldEpoch(node, epoch, known);
  return isTooFar(epoch, speaker) ? linkBadGreeting(`epoch ${epoch} is not of this time`) : null;
}

function isTooFar(epoch: number, { heard, stored, wallMs }: Speaker): boolean {
  const known = Math.max(stored ?? 0, heard ?? 0);
  return epoch > Math.max(wallMs + FARTHEST_MS, known + MOST_STEPS);
}
