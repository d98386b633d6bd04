import type { CheckDefinition } from '../definition/index.ts';
import type { CheckRecord, CheckStatus } from '../registry/index.ts';

/** What an alias follows. */
export interface AliasTarget {
  readonly node: string;
  /** Empty: the node itself. */
  readonly serviceId: string;
}

/** Where aliases learn how their targets are: of the own node from its agent, of others from the region. */
export interface AliasTargets {
  /** The name of the own node. */
  readonly node: string;
  /** The node's checks and, when it names an instance, those of it; null when there is no such node or instance. */
  checksOf(target: AliasTarget): readonly CheckRecord[] | null;
  /** Calls back after the target may have changed, until the returned function is called. */
  onChange(target: AliasTarget, listen: () => void): () => void;
}

/** For whom nothing is known of any target: every alias is critical. */
export const NO_TARGETS: AliasTargets = Object.freeze({
  node: '',
  checksOf: () => null,
  onChange: () => () => {},
});

/** What an alias check of node `own` follows. */
export function aliasTargetOf({ aliasService = '', aliasNode }: CheckDefinition, own: string): AliasTarget {
  return { node: aliasNode ?? own, serviceId: aliasService };
}

/** The alias itself: where it stands and what it is part of. */
export interface AliasSelf {
  readonly node: string;
  readonly id: string;
  readonly serviceId: string;
}

/**
 * How an alias stands: as the worst of its target's checks, with Consul's texts. Null when nothing is bad and something has
 * no result yet. Aliases that follow this one back do not count, or both would be critical for ever. Pure.
 */
export function judgeAlias(
  target: AliasTarget,
  checks: readonly CheckRecord[] | null,
  self: AliasSelf,
): { readonly status: Exclude<CheckStatus, 'unknown'>; readonly output: string } | null {
  if (checks === null) return { status: 'critical', output: missing(target) };
  const counted = checks.filter((check) => !isSelf(check, target, self) && !followsBack(check, target, self));
  for (const status of ['critical', 'warning'] as const) {
    const bad = counted.find((check) => check.status === status);
    if (bad !== undefined) return { status, output: `Aliased check "${bad.name}" failing: ${bad.output}` };
  }
  if (counted.some(({ status }) => status === 'unknown')) return null;
  return { status: 'passing', output: counted.length === 0 ? 'No checks found.' : 'All checks passing.' };
}

function missing({ node, serviceId }: AliasTarget): string {
  return serviceId === ''
    ? `Node ${node} could not be found`
    : `Service ${serviceId} could not be found on node ${node}`;
}

function isSelf({ id }: CheckRecord, { node }: AliasTarget, self: AliasSelf): boolean {
  return node === self.node && id === self.id;
}

/** Every alias of a node follows its node's checks too. */
function followsBack({ type, definition }: CheckRecord, { node }: AliasTarget, self: AliasSelf): boolean {
  if (type !== 'alias' || (definition['AliasNode'] ?? node) !== self.node) return false;
  return self.serviceId === '' || definition['AliasService'] === self.serviceId;
}
