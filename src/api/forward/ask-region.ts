import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../lib/index.ts';
import { UpstreamLost, type Upstream } from './ask-upstream.ts';
import type { KeptAnswer, KeptAnswers } from './kept-answers.ts';
import type { RegionContact } from './region-contact.ts';
import type { RegionalQuestion } from './regional-question.ts';

/** What becomes of a question about the region. */
export type RegionAnswer =
  /** A server answers; the body is to be read. */
  | { readonly type: 'live'; readonly message: IncomingMessage }
  /** No server can be asked: what one answered before. */
  | { readonly type: 'kept'; readonly answer: KeptAnswer }
  /** No server can be asked; `wasSent`: one was, and whether it did what it was told is not known. */
  | { readonly type: 'none'; readonly wasSent: boolean };

/** With what a region is asked. */
export interface RegionAsking {
  readonly upstream: Pick<Upstream, 'ask'>;
  readonly contact: RegionContact;
  readonly kept: KeptAnswers;
  readonly clock: Clock;
}

/** After a round in which no server answered, though one is linked. */
const PAUSE_MS = 500;

/**
 * Asks the servers. A read that loses its server is asked again: one that waits with what is left of its wait, at whichever server
 * is there then, and it ends at its time and not because a server did. What may change something is sent once.
 *
 * @throws the signal's reason
 */
export function askRegion(asking: RegionAsking, question: RegionalQuestion): Promise<RegionAnswer> {
  if (question.read === null) return change(asking, question);
  return question.read.waitMs === null
    ? readNow(asking, question)
    : readWaiting(asking, question, question.read.waitMs);
}

async function change({ upstream, contact }: RegionAsking, question: RegionalQuestion): Promise<RegionAnswer> {
  for (const server of contact.order()) {
    try {
      const message = await upstream.ask(question.to(server, null, question.signal), false);
      contact.heard(server);
      return { type: 'live', message };
    } catch (error) {
      if (!(error instanceof UpstreamLost)) throw error;
      contact.lost(server);
      if (error.wasSent) return { type: 'none', wasSent: true };
    }
  }
  return { type: 'none', wasSent: false };
}

async function readNow(asking: RegionAsking, question: RegionalQuestion): Promise<RegionAnswer> {
  const message = await round(asking, question, null);
  return message === null ? keptOr(asking, question) : { type: 'live', message };
}

async function readWaiting(asking: RegionAsking, question: RegionalQuestion, waitMs: number): Promise<RegionAnswer> {
  const { clock, contact } = asking;
  const endMs = clock.now() + waitMs;
  for (;;) {
    const isOver = clock.now() >= endMs;
    const message = isOver ? null : await round(asking, question, endMs);
    if (message !== null) return { type: 'live', message };
    const kept = keptOr(asking, question);
    if (isOver || isNews(kept, question)) return kept;
    await changeOf(asking, contact.linked === null ? endMs - clock.now() : PAUSE_MS, question.signal);
  }
}

/** Asks one server after the other; null when none gave an answer. One that the link lost meanwhile is not waited for much longer. */
async function round(
  asking: RegionAsking,
  question: RegionalQuestion,
  endMs: number | null,
): Promise<IncomingMessage | null> {
  const { upstream, contact, clock } = asking;
  for (const server of contact.order()) {
    // What waits anyway loses nothing by being asked again; what is under way may be answered all the same.
    const watch = watchLink(asking, server, endMs === null ? LAST_MS : 0);
    try {
      const signal = AbortSignal.any([question.signal, watch.signal]);
      const leftMs = endMs === null ? null : endMs - clock.now();
      const message = await upstream.ask(question.to(server, leftMs, signal), endMs !== null);
      contact.heard(server);
      return message;
    } catch (error) {
      if (!(error instanceof UpstreamLost)) throw error;
      if (!watch.signal.aborted || endMs === null) contact.lost(server);
    } finally {
      watch.stop();
    }
  }
  return null;
}

/** How long a read that is under way may still be answered after the link was lost. */
const LAST_MS = 2_000;

/** A signal that is aborted when the link to a server was lost so long ago; never for one that the agent is not linked to. */
function watchLink(
  { contact, clock }: RegionAsking,
  server: string,
  afterMs: number,
): { readonly signal: AbortSignal; readonly stop: () => void } {
  const lost = new AbortController();
  const ends = new DisposableStack();
  const end = (): void => lost.abort(new UpstreamLost('the link to it is gone', true));
  const look = (): void => {
    if (contact.linked === server) return follow();
    if (afterMs === 0) return end();
    const timer = clock.after(afterMs, end);
    ends.defer(() => timer.cancel());
  };
  const follow = (): void => ends.defer(contact.onceChanged(look));
  if (contact.linked === server) follow();
  return { signal: lost.signal, stop: () => ends.dispose() };
}

function keptOr({ kept }: RegionAsking, { key, read }: RegionalQuestion): RegionAnswer {
  const answer = key === null || read?.isConsistent === true ? undefined : kept.get(key);
  return answer === undefined ? { type: 'none', wasSent: false } : { type: 'kept', answer };
}

/** What it has not seen yet need not wait. */
function isNews(kept: RegionAnswer, { read }: RegionalQuestion): boolean {
  return kept.type === 'kept' && Number(kept.answer.index) > Number(read?.index ?? '');
}

/** Resolves when the servers became others, or after so long. @throws the signal's reason */
function changeOf({ contact, clock }: RegionAsking, mostMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const stop = contact.onceChanged(resolve);
  const timer = clock.after(Math.max(0, mostMs), resolve);
  return promise.finally(() => {
    stop();
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
  });
}
