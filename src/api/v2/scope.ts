import { z } from 'zod';
import { federationSchema } from '../../definition/index.ts';
import { nearest } from '../../lib/index.ts';
import type { CatalogNode } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import type { LocalNode } from '../local-node.ts';
import { nodeNotRegistered, unknownLocalNode } from './errors.ts';

export const DEFAULT_FEDERATION = 'default';

/** How far this agent is: with all of its region, keys too; or as the newest view of a node of its own has it. */
export function revisionOf({ feed, forward, nodes }: ApiContext): number {
  if (forward === null) return feed.revision;
  return Math.max(0, ...[...nodes.values()].map((node) => node.view()?.revision ?? 0));
}

/** `?node=`. */
export const nodeParameter = z
  .string({ error: 'expected the name of a node' })
  .describe('One of the nodes that this agent hosts; default its first.')
  .optional();
/** `?federation=`. */
export const federationParameter = federationSchema.describe('Default: default.').optional();
/** `?region=`. */
export const regionParameter = z
  .union([z.literal('-'), federationSchema], { error: 'expected the name of a region, or "-" for every region' })
  .meta({ type: 'string', anyOf: undefined })
  .describe('Only this region; default `-`: every region without a value of its own.')
  .default('-');

/** The node of this agent that a request means. @throws API_UNKNOWN_LOCAL_NODE naming those there are */
export function localNode({ nodes, firstNode }: ApiContext, name: string = firstNode): LocalNode {
  const node = nodes.get(name);
  if (node !== undefined) return node;
  const names = [...nodes.keys()];
  throw unknownLocalNode.with({ hint: didYouMean(name, names, `its nodes: ${names.join(', ')}`) }, name);
}

/** A node of this agent or of another, as the region has it. @throws API_UNKNOWN_LOCAL_NODE, API_NODE_NOT_REGISTERED */
export function registeredNode(context: ApiContext, name?: string): CatalogNode {
  // Agents without a server of their own ask here for their nodes.
  const elsewhere = name === undefined || context.nodes.has(name) ? undefined : context.catalog.node(name);
  if (elsewhere !== undefined) return elsewhere;
  const { record } = localNode(context, name);
  const node = context.catalog.node(record.name);
  if (node === undefined) throw nodeNotRegistered(record.name);
  return node;
}

/** A hint: the nearest of what there is, else what to do. */
export function didYouMean(word: string, candidates: Iterable<string>, otherwise: string): string {
  const near = nearest(word, candidates);
  return near === undefined ? otherwise : `did you mean "${near}"? ${otherwise}`;
}
