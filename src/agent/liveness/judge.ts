import type { AliveRecord, Finding } from '../../registry/index.ts';
import type { Findings } from './findings.ts';

/** A node that nobody hears, as the server that speaks for it knows it. Times in ms of attention. */
export interface SilentNode {
  readonly alive: AliveRecord;
  /** Why nobody hears it. */
  readonly reason: string;
  readonly silentForMs: number;
  readonly suspectedAfterMs: number;
  readonly downAfterMs: number;
  /** null: it can be probed and was not yet. */
  readonly findings: Findings | null;
  /** Many vanished with it, on thin evidence: it is not said to be down. */
  readonly isHeld: boolean;
}

/** Liveness without the time since when. */
export type Judgement = Omit<AliveRecord, 'since'>;

/**
 * What is to be said of a node that nobody hears; null: nothing different from what is said already (decision 190). It is suspected
 * with what probes found dead, follows further probes in both directions while it is, and is down after the grace with what answers
 * all the same; from then on instances only go. Pure.
 */
export function judge(node: SilentNode): Judgement | null {
  const judgement = wanted(node);
  return judgement === null || isSame(judgement, node.alive) ? null : judgement;
}

function wanted(node: SilentNode): Judgement | null {
  const { alive, findings, silentForMs } = node;
  if (alive.status === 'left' || findings === null) return null;
  if (alive.status === 'down') return stillDown(alive, findings);
  if (silentForMs < node.suspectedAfterMs) return null;
  const isHeld = node.isHeld && alive.released !== true;
  if (silentForMs >= node.downAfterMs && !isHeld && alive.status === 'suspected') return down(node, findings);
  return suspected(node, findings, isHeld);
}

function suspected({ alive, reason }: SilentNode, findings: Findings, isHeld: boolean): Judgement {
  const dead = Object.fromEntries(
    // Where the server may be the one that is cut off, its own silence accuses nobody.
    [...findings].filter((one): one is [string, Finding] => one[1] !== 'answers' && !(isHeld && one[1] === 'unseen')),
  );
  return {
    status: 'suspected',
    evidence: alive.status === 'suspected' ? (alive.evidence ?? reason) : reason,
    ...(Object.keys(dead).length === 0 ? {} : { dead }),
    ...(alive.released === true ? { released: true } : {}),
  };
}

function down({ alive, reason }: SilentNode, findings: Findings): Judgement {
  return { status: 'down', evidence: alive.evidence ?? reason, ...answering(answeringOf(findings)) };
}

function stillDown(alive: AliveRecord, findings: Findings): Judgement {
  const found = new Set(answeringOf(findings));
  const { evidence } = alive;
  const left = (alive.answering ?? []).filter((id) => found.has(id));
  return { status: 'down', ...(evidence === undefined ? {} : { evidence }), ...answering(left) };
}

function answeringOf(findings: Findings): string[] {
  return [...findings].filter(([, verdict]) => verdict === 'answers').map(([id]) => id);
}

function answering(ids: readonly string[]): Pick<Judgement, 'answering'> {
  return ids.length === 0 ? {} : { answering: ids };
}

function isSame(judgement: Judgement, alive: AliveRecord): boolean {
  return judgement.status === alive.status && digest(judgement) === digest(alive);
}

function digest({ dead = {}, answering: ids = [] }: Judgement): string {
  return JSON.stringify([Object.entries(dead).toSorted(byKey), ids.toSorted()]);
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
