import type { Revision } from '../store/index.ts';

/** What takes up changes (semantics 6). `process`, `handler`, `executor` and `publication` come with their parts. */
export const CONSUMER_KINDS = [
  'environment',
  'process',
  'balancer',
  'listener',
  'handler',
  'executor',
  'dns',
  'publication',
] as const;

export type ConsumerKind = (typeof CONSUMER_KINDS)[number];

export type Outcome = 'applied' | 'unchanged' | 'refused' | 'failed' | 'held';

/** Outcomes of those who have taken it up. */
export type DoneOutcome = Extract<Outcome, 'applied' | 'unchanged'>;

/** Whether the consumer has taken it up. Pure. */
export function isDone(outcome: Outcome): outcome is DoneOutcome {
  return outcome === 'applied' || outcome === 'unchanged';
}

/** A consumer's word that it has taken up everything up to `revision`, or why not. */
export interface Receipt {
  readonly node: string;
  readonly kind: ConsumerKind;
  readonly revision: Revision;
  readonly outcome: Outcome;
  readonly reason?: string;
  /** When it will try again, for `held` and `failed`: ISO time. */
  readonly retryAt?: string;
}
