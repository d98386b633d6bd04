import type { ApiContext } from '../context.ts';
import { badRequest, notFound } from '../errors.ts';
import type { LocalNode } from '../local-node.ts';
import { changedAt, type V1Answer, type V1Handler, type V1Request } from './exchange.ts';
import { parseBoolean } from './parameters.ts';
import type { Query } from './query.ts';

type OnNode = (node: LocalNode, request: V1Request) => V1Answer | Promise<V1Answer>;

/** A handler for the agent's first node, or the one of its nodes that `?node=` names. */
export function onNode(context: ApiContext, task: OnNode): V1Handler {
  return (request) => {
    const name = request.query.get('node') ?? context.firstNode;
    const node = context.nodes.get(name);
    if (node !== undefined) return task(node, request);
    throw notFound(`this agent has no node ${JSON.stringify(name)}; it has ${[...context.nodes.keys()].join(', ')}`);
  };
}

/** The argument of a path, which must be there. @throws API_BAD_REQUEST such as `Missing service ID` */
export function argumentOf({ argument }: V1Request, what: string): string {
  if (argument === '') throw badRequest(`Missing ${what}`);
  return argument;
}

/** `?enable=` of the maintenance endpoints. @throws API_BAD_REQUEST with Consul's texts */
export function enableOf(query: Query): boolean {
  const text = query.get('enable') ?? '';
  if (text === '') throw badRequest('Missing value for enable');
  const enable = parseBoolean(text);
  if (enable === undefined) throw badRequest(`Invalid value for enable: ${JSON.stringify(text)}`);
  return enable;
}

/** An empty answer that says at which revision the change is in the region. */
export function changed(revision: number): V1Answer {
  return { headers: changedAt(revision) };
}
