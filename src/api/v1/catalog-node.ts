import { topic, type CatalogNode, type Instance, type Rendered } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { rowFilter } from './answer-rows.ts';
import { answerRead } from './blocking.ts';
import type { V1Answer, V1Request } from './exchange.ts';
import { SERVICE_SHAPE } from './row-shapes.ts';
import { seesInstance } from './sees.ts';
import { wireNode, wireService } from './wire.ts';

/** How the services stand in the answer. */
type Form = (instances: readonly Instance[]) => unknown;
export const asMap: Form = (all) => Object.fromEntries(all.map((one) => [one.record.id, wireService(one)]));
export const asList: Form = (all) => all.map(wireService);

/** `catalog/node` and `catalog/node-services`: a node, by name or id, with those of its services that tokens and filters leave. */
export function servicesOfNode(context: ApiContext, request: V1Request, form: Form): V1Answer | Promise<V1Answer> {
  const { argument: name, authority, query } = request;
  if (name === '') throw badRequest('Missing node name');
  const filter = query.get('filter') ?? '';
  const matches = rowFilter(filter, SERVICE_SHAPE);
  const find = (): CatalogNode | undefined => context.catalog.node(name) ?? nodeById(context, name);
  const found = find();
  const render = (): Rendered => {
    const current = find();
    if (current === undefined) return { text: 'null', isFiltered: false };
    if (!authority.allows('node', current.record.name, 'read')) return { text: 'null', isFiltered: true };
    const all = [...current.instances.values()];
    const seen = all.filter((one) => seesInstance(authority, one));
    const rows = matches === undefined ? seen : seen.filter((one) => matches(wireService(one)));
    const body = { Node: wireNode(current, context.region), Services: form(rows) };
    return { text: JSON.stringify(body), isFiltered: seen.length < all.length };
  };
  return answerRead(context, request, {
    key: `catalog node ${JSON.stringify([name, found?.record.name, form === asMap, authority.id, filter])}`,
    // Whatever node may come to have the name or the id: whoever waits for it has to hear of it.
    topics: found === undefined ? [topic.nodes, topic.node(name)] : [topic.node(found.record.name)],
    render,
  });
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function nodeById({ catalog }: ApiContext, id: string): CatalogNode | undefined {
  if (!UUID.test(id)) return undefined;
  return catalog.nodes().find((one) => one.record.id.toLowerCase() === id.toLowerCase());
}
