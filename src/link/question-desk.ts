import { DroverError, messageOf, systemClock, type Clock } from '../lib/index.ts';
import { linkBusy, linkNoAnswer, linkUnknownQuestion } from './errors.ts';
import type { Answered, Question } from './messages.ts';
import type { Answer, Ask, QuestionKind } from './questions.ts';

/** Who asks, as whoever answers sees it. */
export interface QuestionContext {
  /** The node or server at the other end. */
  readonly from: string;
  /** Aborted when the link ends: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers one kind of question; what it throws is the answer's error. What comes from another process is not checked before. */
export type QuestionHandler<Questions, Kind extends QuestionKind<Questions>> = (
  ask: Ask<Questions, Kind>,
  context: QuestionContext,
) => Answer<Questions, Kind> | Promise<Answer<Questions, Kind>>;

type AnyHandler = (ask: unknown, context: QuestionContext) => unknown;

/** Who answers which kind of question, for all links of an end: kinds are added where they are composed. */
export class QuestionHandlers<Questions> {
  readonly #handlers = new Map<string, AnyHandler>();
  readonly #others: QuestionHandlers<Questions> | undefined;

  /** `others` answer what these do not. */
  constructor(others?: QuestionHandlers<Questions>) {
    this.#others = others;
  }

  /** Each kind once. */
  set<Kind extends QuestionKind<Questions>>(kind: Kind, handler: QuestionHandler<Questions, Kind>): void {
    this.#handlers.set(kind, handler as AnyHandler);
  }

  get(kind: string): AnyHandler | undefined {
    return this.#handlers.get(kind) ?? this.#others?.get(kind);
  }
}

/** How long to wait for an answer. */
export interface AskOptions {
  readonly signal?: AbortSignal;
  /** 10 s unless told. */
  readonly timeoutMs?: number;
}

export interface QuestionDeskOptions<Answerable> {
  /** The node or server at the other end. */
  readonly peer: () => string;
  readonly send: (message: Question | Answered) => void;
  /** What this end answers. */
  readonly handlers: QuestionHandlers<Answerable>;
  readonly clock?: Clock;
}

interface Open {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

const TIMEOUT_MS = 10_000;
/** Questions of the other end that are worked on at once. */
const MOST_OPEN = 1_024;

/** Questions of one link, both ways: those of this end wait here for their answers, those of the other are answered. */
export class QuestionDesk<Asked, Answerable> {
  readonly #options: QuestionDeskOptions<Answerable>;
  readonly #clock: Clock;
  readonly #open = new Map<number, Open>();
  readonly #ending = new AbortController();
  #nextId = 1;
  #working = 0;

  constructor(options: QuestionDeskOptions<Answerable>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Asks the other end.
   *
   * @throws the other end's error with its code and words, LINK_UNKNOWN_QUESTION, LINK_NO_ANSWER after the timeout, what the desk
   *   was ended with, or the signal's reason
   */
  ask<Kind extends QuestionKind<Asked>>(
    kind: Kind,
    ask: Ask<Asked, Kind>,
    { signal, timeoutMs = TIMEOUT_MS }: AskOptions = {},
  ): Promise<Answer<Asked, Kind>> {
    if (this.#ending.signal.aborted) return Promise.reject(this.#ending.signal.reason as Error);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Asked, Kind>>();
    const timer = this.#clock.after(timeoutMs, () => reject(linkNoAnswer(kind, this.#options.peer(), timeoutMs)));
    const onAbort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#open.set(id, { resolve: resolve as (answer: unknown) => void, reject });
    this.#options.send({ type: 'ask', id, kind, ask });
    return promise.finally(() => {
      this.#open.delete(id);
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    });
  }

  /** Takes what came: a question is answered, an answer goes to who waits for it, and to nobody when they gave up. */
  receive(message: Question | Answered): void {
    if (message.type === 'ask') void this.#answer(message);
    else if (message.type === 'answer') this.#open.get(message.id)?.resolve(message.answer);
    else this.#open.get(message.id)?.reject(errorOf(message));
  }

  /** Nothing is asked or answered any more. */
  end(error: Error): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort(error);
    for (const { reject } of this.#open.values()) reject(error);
  }

  /** Never rejects. */
  async #answer({ id, kind, ask }: Question): Promise<void> {
    const { handlers, peer, send } = this.#options;
    this.#working++;
    try {
      if (this.#working > MOST_OPEN) throw linkBusy(kind, MOST_OPEN);
      const handle = handlers.get(kind);
      if (handle === undefined) throw linkUnknownQuestion(kind, 'the other end');
      const answer = await handle(ask, { from: peer(), signal: this.#ending.signal });
      if (!this.#ending.signal.aborted) send({ type: 'answer', id, answer });
    } catch (error) {
      if (!this.#ending.signal.aborted) send({ type: 'answer-error', id, ...partsOf(error) });
    } finally {
      this.#working--;
    }
  }
}

/** An error as it crosses a link. */
export interface ErrorParts {
  readonly code: string;
  /** As of HTTP, so that an API can answer with it. */
  readonly status: number;
  readonly message: string;
  readonly hint?: string;
}

/** What of an error crosses a link. */
export function partsOf(error: unknown): ErrorParts {
  if (!(error instanceof DroverError)) return { code: 'LINK_FAILED', status: 500, message: messageOf(error) };
  const { code, status, message, hint } = error;
  return { code, status, message, ...(hint === undefined ? {} : { hint }) };
}

/** The other end's error as one's own: same code, status and words. */
export function errorOf({ code, status, message, hint }: ErrorParts): DroverError {
  return new DroverError({ code, status, exitCode: 1 }, message, hint === undefined ? {} : { hint });
}
