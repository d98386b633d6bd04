import { hash } from 'node:crypto';
import type { Revision } from '../store/index.ts';

/** A rendered query: its index, its bytes and a digest of them. */
export interface Answer {
  /** The highest index of the query's topics; never 0. */
  readonly index: Revision;
  /** UTF-8, made once and shared by everyone who asks: do not change it. */
  readonly body: Buffer;
  /** Equal digests mean equal bodies. */
  readonly hash: string;
  /** Something was left out that the asker may not see. */
  readonly isFiltered: boolean;
}

/** A body, and whether something was left out of it that the asker may not see. */
export interface Rendered {
  readonly text: string;
  readonly isFiltered: boolean;
}

/** A question whose answer is a function of what its topics hold. */
export interface LiveQuery {
  /** Equal keys are equal questions: give everything that changes the answer, such as `health/service/api?passing`. */
  readonly key: string;
  /** What the answer depends on (`keys.ts`); one made with `topicPrefix` stands for every topic that begins so. */
  readonly topics: readonly string[];
  /** The body as it is now. */
  render(): string | Rendered;
}

/** Ends a topic that stands for all topics that begin with what is before it: no topic itself holds this character. */
const PREFIX_MARK = '\u{2026}';

/** The topic of everything whose topic begins with `start`, such as all KV entries under a prefix. */
export function topicPrefix(start: string): string {
  return start + PREFIX_MARK;
}

/** What a topic made with `topicPrefix` was made of; undefined for a plain one. */
export function prefixOfTopic(topic: string): string | undefined {
  return topic.endsWith(PREFIX_MARK) ? topic.slice(0, -1) : undefined;
}

/** Renders a query. */
export function renderAnswer(query: LiveQuery, index: Revision): Answer {
  const rendered = query.render();
  const { text, isFiltered } = typeof rendered === 'string' ? { text: rendered, isFiltered: false } : rendered;
  const body = Buffer.from(text);
  return { index, body, hash: hash('sha256', body, 'base64'), isFiltered };
}
