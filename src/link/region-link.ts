import type { AccessControl } from '../access/index.ts';
import type { Changes } from '../change/index.ts';
import { DroverError, messageOf, type Clock } from '../lib/index.ts';
import type { NodeRegistration, Transition } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import type { RegionChannel } from './channel-pair.ts';
import type { LinkSyncs } from './link-syncs.ts';
import type { RegionMessage } from './messages.ts';
import type { QuestionDesk } from './question-desk.ts';
import type { NodeQuestions, RegionQuestions } from './questions.ts';
import type { LinkPeer } from './websocket-entrance.ts';

/** What writes a node's word into the registry; the epoch says which start of its agent speaks. */
export interface NodeAuthority {
  /** Makes the registry hold exactly this registration. `agent` says which agent it is, whatever its start. */
  syncNode(registration: NodeRegistration, epoch: number, agent?: string): Promise<Revision>;
  /** What the registry holds of a node; null: nothing that an agent said. */
  held(node: string): NodeRegistration | null;
  /** The start of the agent that speaks for a node; null: none does. */
  epochOf(node: string): number | null;
  report(node: string, transitions: readonly Transition[], epoch: number): Promise<Revision>;
}

/** With what a server's end of all links is started. */
export interface RegionLinksOptions {
  /** This server's name, told in the welcome. */
  readonly server: string;
  readonly authority: NodeAuthority;
  /** Who may, among the nodes of other processes; everybody unless told. */
  readonly access?: AccessControl;
  readonly changes: Pick<Changes, 'view' | 'adoptChoices' | 'linked' | 'unlinked' | 'onView' | 'receipt' | 'revision'>;
  /** Told when a node has greeted and been taken up. */
  readonly onLinked?: (node: string) => void;
  /**
   * Told when a node's link is gone and no other has taken its place: for liveness. `silentForMs` is how long nothing had come
   * when it was given up; 0 when it ended for another reason.
   */
  readonly onUnlinked?: (node: string, reason: string, silentForMs: number) => void;
  /** Told when a sign of life of a linked node is late: time to look whether it is still there. */
  readonly onQuiet?: (node: string) => void;
  readonly clock?: Clock;
  /** Told why agents are refused. */
  readonly warn?: (text: string) => void;
}

/** A node that is linked to this server, or about to be. */
export interface Link {
  readonly node: string;
  readonly epoch: number;
  /** Which agent it is; empty: it does not say. */
  readonly agent: string;
  readonly record: NodeRegistration['node'];
  readonly channel: RegionChannel;
  /** Null: a node of this very process. */
  readonly peer: LinkPeer | null;
  readonly questions: QuestionDesk<NodeQuestions, RegionQuestions>;
  readonly syncs: LinkSyncs;
  /** All that was wanted of the greeting has come. */
  isWhole: boolean;
  isWelcome: boolean;
  /** It took the place of one whose node is held to be linked: when it comes to nothing, the node is not any more. */
  readonly isExpected: boolean;
}

export function send(link: Link, message: RegionMessage): void {
  link.channel.send(message);
}

/** Says why not, and ends the channel; `epoch`: the one that a greeting must be above, where that is why. */
export function refuse(channel: RegionChannel, error: unknown, epoch: number | null): void {
  const code = error instanceof DroverError ? error.code : 'LINK_FAILED';
  channel.send({ type: 'refused', code, message: messageOf(error), ...(epoch === null ? {} : { epoch }) });
  channel.close(`refused: ${messageOf(error)}`);
}
