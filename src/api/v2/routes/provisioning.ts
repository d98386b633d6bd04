import { z } from 'zod';
import type { CatalogReader } from '../../../registry/index.ts';
import { jsonBody, NO_BODY } from '../body.ts';
import { badDeployment, unknownDeployment, unknownNode } from '../errors.ts';
import { flag, NONE } from '../parameters.ts';
import { route, type Route } from '../route.ts';
import { deploymentSchema, nodeProvisionsSchema } from '../schemas.ts';
import { didYouMean } from '../scope.ts';
import { putDeployment, readDeployment } from '../deployments.ts';

const name = z.object({ name: z.string() });
const direct = flag('Only where the node is linked to this very server.');

const show = route({
  method: 'GET',
  path: '/v2/nodes/{name}/provisions',
  needs: ({ params }) => [['agent', params.name, 'read']],
  summary: 'The listener of any node of the region, and its latest provisions.',
  params: name,
  query: z.strictObject({ direct }),
  headers: NONE,
  body: NO_BODY,
  answer: nodeProvisionsSchema,
  async handle({ params, query, caller: { secret } }, { catalog, reach }) {
    demand(catalog, params.name);
    const found = await reach.provisions(params.name, { secret, isDirect: query.direct });
    return { body: { listener: found.listener, provisions: [...found.provisions] } };
  },
});

const machine = route({
  method: 'GET',
  path: '/v2/nodes/{name}/machine',
  needs: ({ params }) => [['agent', params.name, 'read']],
  summary: 'Whether the machine of a node is there. While it is, a provision may go on without its agent.',
  params: name,
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: z.object({ answers: z.boolean() }),
  async handle({ params }, { catalog, reach }) {
    demand(catalog, params.name);
    return { body: { answers: await reach.answers(params.name) } };
  },
});

const order = route({
  method: 'POST',
  path: '/v2/nodes/{name}/provisions',
  needs: ({ params }) => [['agent', params.name, 'write']],
  summary:
    'Orders any node of the region to provision now: past settling and throttle, never past the limit of its group.',
  params: name,
  query: z.strictObject({
    direct,
    cause: z.string().min(1).max(128).default('provision').describe('What it is for, as its causes show it.'),
  }),
  headers: NONE,
  body: NO_BODY,
  answer: z.object({ node: z.string() }),
  changes: true,
  async handle({ params, query, caller: { secret } }, { catalog, reach }) {
    demand(catalog, params.name);
    await reach.provision(params.name, query.cause, { secret, isDirect: query.direct });
    return { body: { node: params.name } };
  },
});

const id = z.object({ id: z.string().regex(/^[\w-]{1,64}$/, 'expected letters, digits, _ and -') });

const readState = route({
  method: 'GET',
  path: '/v2/deployments/{id}',
  needs: () => [['operator', '', 'read']],
  summary: 'How far a deployment has come.',
  params: id,
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: deploymentSchema,
  async handle({ params }, { store }) {
    const found = await readDeployment(store, params.id);
    if (found === null) throw unknownDeployment(params.id);
    return { body: found };
  },
});

const writeState = route({
  method: 'PUT',
  path: '/v2/deployments/{id}',
  needs: () => [['operator', '', 'write']],
  summary: 'Writes how far a deployment has come; its `revision` is the one it was read at, 0 for a new one.',
  params: id,
  query: NONE,
  headers: NONE,
  body: jsonBody(deploymentSchema, '{"group": "web", "atOnce": 5, "mostFailures": 1, "nodes": {}, "revision": 0}'),
  answer: z.object({ revision: z.number().int() }),
  changes: true,
  async handle({ params, body }, { feed }) {
    const revision = await putDeployment(feed, params.id, body);
    if (revision === null) throw badDeployment(params.id);
    return { revision, body: { revision } };
  },
});

/** Provisions of nodes anywhere in the region, and of many of them. */
export const provisioningRoutes: readonly Route[] = [show, machine, order, readState, writeState];

/** @throws API_UNKNOWN_NODE */
function demand(catalog: CatalogReader, node: string): void {
  if (catalog.node(node) !== undefined) return;
  throw unknownNode.with({ hint: didYouMean(node, [], 'node:list shows them all') }, node);
}
