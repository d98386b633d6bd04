import type { CatalogNode } from '../../registry/index.ts';
import type { Findings, Verdict } from './findings.ts';
import type { Crowd } from './guard.ts';

/** Nodes count as vanished together within this time. */
export const CROWD_MS = 60_000;

/** A node of the crowd; `findings` are this server's own, where it speaks for the node. */
export interface Vanished {
  readonly node: CatalogNode;
  readonly findings: Findings | null;
  /** This server speaks for it, and has not probed it yet. */
  readonly isUnseen: boolean;
}

/** What a crowd is like, from this server's findings and what others have written. Pure. */
export function crowdOf(total: number, vanished: readonly Vanished[]): Crowd {
  const verdicts = vanished.flatMap(verdictsOf);
  return {
    total,
    vanished: vanished.length,
    instances: verdicts.length,
    refused: verdicts.filter((verdict) => verdict === 'refused').length,
    silent: verdicts.filter((verdict) => verdict === 'silent').length,
    isWeighed: vanished.every(({ isUnseen }) => !isUnseen),
  };
}

function verdictsOf({ node, findings }: Vanished): Verdict[] {
  if (findings !== null) return [...findings.values()];
  const { alive, instances } = node;
  const answering = new Set(alive.answering);
  return [...instances.keys()].map((id) => {
    if (alive.status === 'down') return answering.has(id) ? 'answers' : 'refused';
    return alive.dead?.[id] ?? 'answers';
  });
}
