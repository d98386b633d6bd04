import type { AppliedChange } from '../registry/index.ts';
import { keyParts, topic } from '../registry/index.ts';

const NODE_TOPIC = topic.node('');

/** Nodes of which something changed: the node itself, or an instance or check on it, which changes the node's topic. Pure. */
export function touchedNodes(change: AppliedChange): ReadonlySet<string> {
  const found = new Set(change.nodes);
  for (const name of change.topics) if (name.startsWith(NODE_TOPIC)) found.add(keyParts(name)[0] as string);
  return found;
}
