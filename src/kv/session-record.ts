import type { Entry, Revision } from '../store/index.ts';

/** What becomes of the keys that a session holds when it ends. */
export type SessionBehavior = 'release' | 'delete';

/** A session as the store holds it under `sess/<id>`, in JSON. */
export interface SessionRecord {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  /** From 0 to 60,000: for so long nobody can lock what the session held when it ended. */
  readonly lockDelayMs: number;
  readonly behavior: SessionBehavior;
  /** As it was given, a duration in Go's notation; empty for none. */
  readonly ttl: string;
  /** Checks of the node: the session ends when one is critical or gone. */
  readonly nodeChecks: readonly string[];
  readonly serviceChecks: readonly SessionServiceCheck[] | null;
  /** As an old client gave them, which are node checks too. */
  readonly checks?: readonly string[];
  /** It holds more locks than one transaction releases: nobody sees it any more, and nothing can be locked with it. */
  readonly isEnding?: true;
}

export interface SessionServiceCheck {
  readonly id: string;
  readonly namespace: string;
}

export interface Session extends SessionRecord {
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** @throws SyntaxError when the entry is not of drover's making */
export function decodeSession({ value, createRevision, modRevision }: Entry): Session {
  return { ...(JSON.parse(value) as SessionRecord), createRevision, modRevision };
}

/** The ids of all checks that a session is bound to. */
export function checksOfSession({ nodeChecks, serviceChecks }: SessionRecord): string[] {
  return [...nodeChecks, ...(serviceChecks ?? []).map((check) => check.id)];
}
