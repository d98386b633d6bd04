import type { Level, Resource } from '../../access/index.ts';
import type { ApiContext } from '../context.ts';

/** One thing that an asker must be allowed; scalar resources have an empty name. */
export type Need = readonly [resource: Resource, name: string, level: Level];

/**
 * What a route needs, said in its row, so that none can be forgotten:
 *
 * - `nothing`: it tells nobody anything but that the agent is there;
 * - `by row`: its handler leaves out what the asker may not see, or asks for each thing that it touches;
 * - a need, or what makes needs of a request.
 */
export type Needs<Asked> = 'nothing' | 'by row' | Need | ((asked: Asked, context: ApiContext) => readonly Need[]);

interface WithCaller {
  readonly caller: { readonly authority: { demand(resource: Resource, name: string, level: Level): void } };
}

/** @throws ACCESS_DENIED, ACCESS_UNKNOWN_TOKEN */
export function demandNeeds<Asked extends WithCaller>(needs: Needs<Asked>, asked: Asked, context: ApiContext): void {
  if (needs === 'nothing') return;
  // Looked up also where rows decide: an unknown token is refused, not shown an empty list.
  const { authority } = asked.caller;
  if (needs === 'by row') return;
  const all = typeof needs === 'function' ? needs(asked, context) : [needs];
  for (const [resource, name, level] of all) authority.demand(resource, name, level);
}

/** What is read of the agent of a node, the first unless told. */
export function ofAgent(level: Level) {
  return ({ query }: { readonly query: { readonly node?: string | undefined } }, { firstNode }: ApiContext): Need[] => [
    ['agent', query.node ?? firstNode, level],
  ];
}

/** What concerns the region as a whole: where changes have arrived. */
export const OPERATOR_READ: Need = ['operator', '', 'read'];
