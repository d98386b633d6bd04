import { z } from 'zod';
import { unknownService } from '../../../environment/index.ts';
import { environmentView, ResolveScope, type CatalogNode, type ServiceEnvironment } from '../../../registry/index.ts';
import type { ApiContext } from '../../context.ts';
import { noServers } from '../../errors.ts';
import { NO_BODY } from '../body.ts';
import { flag, NONE } from '../parameters.ts';
import { type Need } from '../needs.ts';
import { route, type Route } from '../route.ts';
import { environmentSchema } from '../schemas.ts';
import { didYouMean, localNode, nodeParameter, registeredNode } from '../scope.ts';

/** Secrets are shown to whoever may set them. */
function needsOf({
  params,
  query,
}: {
  readonly params: { readonly service: string };
  readonly query: { readonly reveal: boolean };
}): Need[] {
  const revealing: Need[] = query.reveal ? [['operator', '', 'write']] : [];
  return [['service', params.service, 'read'], ...revealing];
}

const show = route({
  method: 'GET',
  path: '/v2/environment/{service}',
  needs: needsOf,
  summary: 'The variables of a service on a node and how each came about; also when some are missing.',
  params: z.object({ service: z.string() }),
  query: z.strictObject({
    node: nodeParameter,
    reveal: flag('Show secrets.'),
    format: z.enum(['json'], { error: 'expected json' }).describe('json; default json.').optional(),
  }),
  headers: NONE,
  body: NO_BODY,
  answer: environmentSchema,
  handle({ params, query, caller }, context) {
    const { node, revision, variables } =
      context.forward === null
        ? inRegion(context, query.node ?? caller.node, params.service)
        : inView(context, query.node, params.service);
    return {
      body: {
        service: params.service,
        node,
        revision,
        variables: variables.map((one) => (one.secret && !query.reveal ? { ...one, value: null } : one)),
      },
    };
  },
});

/** What a service's process is started with (P5). */
export const environmentRoutes: readonly Route[] = [show];

interface OnNode extends Pick<ServiceEnvironment, 'variables'> {
  readonly node: string;
  readonly revision: number;
}

function inRegion(context: ApiContext, name: string | undefined, service: string): OnNode {
  const node = registeredNode(context, name);
  const { variables } = environmentOf(context, node, service);
  return { node: node.record.name, revision: context.catalog.revision, variables };
}

/** As a server said it last: of what the node runs. */
function inView(context: ApiContext, name: string | undefined, service: string): OnNode {
  const node = localNode(context, name);
  const view = node.view();
  const own = view?.environments.find((one) => one.service === service);
  if (view === null || own === undefined) throw noServers();
  return { node: node.record.name, revision: view.revision, variables: own.variables };
}

/** As the node has it; of a service that the node does not run, as it would have it. */
function environmentOf({ catalog, changes }: ApiContext, node: CatalogNode, service: string): ServiceEnvironment {
  const { name, federation } = node.record;
  const view = changes.view(name);
  const own = view?.environments.find((one) => one.service === service);
  if (own !== undefined) return own;
  const definition = catalog.definition(federation, service)?.record;
  if (definition !== undefined)
    return environmentView(new ResolveScope(catalog), node, definition, view?.choices ?? {}).environment;
  const defined = catalog.definitions().map((stored) => stored.record);
  const ids = defined.filter((one) => one.federation === federation).map((one) => one.id);
  throw unknownService.with({ hint: didYouMean(service, ids, 'service:list shows what is defined') }, name, service);
}
