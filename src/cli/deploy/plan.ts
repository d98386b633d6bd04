import type { WireDeployment } from '../../../client/src/index.ts';

type Nodes = WireDeployment['nodes'];

/** How many of so many nodes `2` or `10%` are; a part of few is one at least. null: it is neither. Pure. */
export function shareOf(text: string, nodes: number): number | null {
  const [, digits, percent] = /^(\d{1,6})(%?)$/.exec(text) ?? [];
  if (digits === undefined) return null;
  const value = Number(digits);
  if (percent !== '%') return value;
  return value <= 100 ? Math.max(1, Math.floor((nodes * value) / 100)) : null;
}

/** A deployment that has not begun. Pure. */
export function newDeployment(
  group: string | null,
  names: readonly string[],
  limits: Pick<WireDeployment, 'atOnce' | 'mostFailures'>,
): WireDeployment {
  const nodes = Object.fromEntries(names.toSorted().map((name) => [name, 'waiting' as const]));
  return { group, ...limits, nodes, revision: 0 };
}

/**
 * Which nodes to begin with now. The first one goes alone: nobody follows until it is done. More failures than are allowed, or a
 * first one that fails, and nobody follows at all. Pure.
 */
export function nextNodes(deployment: WireDeployment): string[] {
  const { atOnce, nodes } = deployment;
  if (isStopped(deployment)) return [];
  const room = (numberOf(nodes, 'done') === 0 ? 1 : atOnce) - numberOf(nodes, 'running');
  return namesOf(nodes, 'waiting').slice(0, Math.max(0, room));
}

/** Whether so many failed that nobody follows. Pure. */
export function isStopped({ mostFailures, nodes }: WireDeployment): boolean {
  const failed = numberOf(nodes, 'failed');
  return failed > mostFailures || (failed > 0 && numberOf(nodes, 'done') + numberOf(nodes, 'running') === 0);
}

/** Whether there is nothing more to wait for. Pure. */
export function isOver(deployment: WireDeployment): boolean {
  const { nodes } = deployment;
  return numberOf(nodes, 'running') === 0 && nextNodes(deployment).length === 0;
}

/** Names of the nodes in a state. Pure. */
export function namesOf(nodes: Nodes, state: Nodes[string]): string[] {
  return Object.keys(nodes).filter((name) => nodes[name] === state);
}

/** What is to be done again by whoever resumes: what failed and what nobody knows the end of is ordered anew. Pure. */
export function resumed(deployment: WireDeployment): WireDeployment {
  const again = ['failed', 'running'];
  const nodes = Object.fromEntries(
    Object.entries(deployment.nodes).map(([name, state]) => [name, again.includes(state) ? 'waiting' : state]),
  );
  return { ...deployment, nodes };
}

function numberOf(nodes: Nodes, state: Nodes[string]): number {
  return namesOf(nodes, state).length;
}
