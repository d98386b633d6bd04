import type { CheckRecord } from '../registry/index.ts';
import { prefixRange } from '../store/index.ts';
import type { Entry, KeyRange, Put, Revision } from '../store/index.ts';

/** So many transitions of a check are kept. */
export const CHECK_TRANSITIONS = 50;
const MAX_OUTPUT_BYTES = 1_024;

/** A check that became another status. */
export interface CheckTransition {
  /** Counts the transitions of the check. */
  readonly n: number;
  readonly revision: Revision;
  readonly from: CheckRecord['status'];
  readonly status: CheckRecord['status'];
  /** At most 1 KB. */
  readonly output: string;
  /** ISO time. */
  readonly at: string;
}

export const CHECK_HISTORY_FAMILY = 'chkhist/';

/** The slots of a check's ring, or of all checks of a node. Names stand encoded, as in keys of checks. */
export function ringRange(node: string, check?: string): KeyRange {
  return prefixRange(`${CHECK_HISTORY_FAMILY}${node}/${check === undefined ? '' : `${check}/`}`);
}

/** Puts a transition into its slot, in place of the one that is fifty older. */
export function slotPut(node: string, check: string, transition: CheckTransition): Put {
  const slot = String(transition.n % CHECK_TRANSITIONS).padStart(2, '0');
  return { type: 'put', key: `${CHECK_HISTORY_FAMILY}${node}/${check}/${slot}`, value: JSON.stringify(transition) };
}

/** @throws SyntaxError when the entry is not of drover's making */
export function transitionOf({ value }: Pick<Entry, 'value'>): CheckTransition {
  return JSON.parse(value) as CheckTransition;
}

/** The transition that leads to a check's record as it is stored. */
export function transitionTo(entry: Entry, from: CheckRecord['status'], n: number): CheckTransition {
  const { status, output, since } = JSON.parse(entry.value) as CheckRecord;
  return { n, revision: entry.modRevision, from, status, output: cut(output), at: since };
}

/**
 * The status in a stored check, read without the rest: every revision of every check passes here. Inside a text the quotes
 * would stand escaped.
 */
export function statusOf({ value }: Entry): CheckRecord['status'] {
  const [, status] = /"status":"([a-z]+)"/.exec(value) ?? [];
  if (status === undefined) throw new SyntaxError('a check without a status');
  return status as CheckRecord['status'];
}

/** The beginning of a text, without half a character at its end. */
function cut(output: string): string {
  const bytes = Buffer.from(output);
  if (bytes.length <= MAX_OUTPUT_BYTES) return output;
  return (
    bytes
      .subarray(0, MAX_OUTPUT_BYTES - 3)
      .toString()
      .replace(/\u{fffd}+$/u, '') + '…'
  );
}
