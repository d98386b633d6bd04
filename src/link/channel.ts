/**
 * Two ends that carry plain serialisable messages in order. In one process a pair hands over structured clones; the
 * cluster puts a WebSocket under the same contract. A closed channel drops what is sent.
 */
export interface Channel<Incoming, Outgoing> {
  send(message: Outgoing): void;
  /** Called once per message, in order, never within `send`. Set once. */
  onMessage(handle: (message: Incoming) => void): void;
  /** Called once when either end closed, with the reason. */
  onClose(handle: (reason: string) => void): void;
  /** Called when a sign of life of the other end is late: once in each silence. Only where silences are watched. Set once. */
  onQuiet?(handle: () => void): void;
  /** How long nothing had come when it was given up for its silence; absent or 0 when it ended for another reason. */
  readonly silentForMs?: number;
  close(reason: string): void;
}
