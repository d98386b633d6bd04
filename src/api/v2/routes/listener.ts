import { z } from 'zod';
import type { ProvisionRun } from '../../../listener/index.ts';
import type { ApiContext } from '../../context.ts';
import type { ListenerControl } from '../../local-node.ts';
import { NO_BODY } from '../body.ts';
import { noListener } from '../errors.ts';
import { NONE } from '../parameters.ts';
import { ofAgent } from '../needs.ts';
import { route, type Route } from '../route.ts';
import { listenerSchema, provisionSchema } from '../schemas.ts';
import { localNode, nodeParameter } from '../scope.ts';

const ofNode = z.strictObject({ node: nodeParameter });
const common = { params: NONE, query: ofNode, headers: NONE, body: NO_BODY } as const;

const show = route({
  ...common,
  method: 'GET',
  path: '/v2/listener',
  needs: ofAgent('read'),
  summary: 'The listener of a node: on or off, running, queued, its last run.',
  answer: listenerSchema,
  handle: ({ query }, context) => ({ body: listenerOf(context, query.node).status() }),
});

const on = route({
  ...common,
  method: 'POST',
  path: '/v2/listener/on',
  needs: ofAgent('write'),
  summary: 'Switches the listener on: it provisions once at once, whatever changed.',
  answer: listenerSchema,
  changes: true,
  async handle({ query }, context) {
    const listener = listenerOf(context, query.node);
    await listener.on();
    return { body: listener.status() };
  },
});

const off = route({
  ...common,
  method: 'POST',
  path: '/v2/listener/off',
  needs: ofAgent('write'),
  summary: 'Switches the listener off: nothing runs, what changes is kept.',
  answer: listenerSchema,
  changes: true,
  async handle({ query }, context) {
    const listener = listenerOf(context, query.node);
    await listener.off();
    return { body: listener.status() };
  },
});

const history = route({
  ...common,
  method: 'GET',
  path: '/v2/provisions',
  needs: ofAgent('read'),
  summary: 'The latest provisions of a node, newest first.',
  answer: z.array(provisionSchema),
  handle: ({ query }, context) => ({ body: listenerOf(context, query.node).provisions() as ProvisionRun[] }),
});

const provision = route({
  ...common,
  method: 'POST',
  path: '/v2/provisions',
  needs: ofAgent('write'),
  summary: 'Queues a provision now, past settling and throttle, never beside a run that is under way.',
  answer: listenerSchema,
  changes: true,
  async handle({ query }, context) {
    const listener = listenerOf(context, query.node);
    await listener.provision({ skipSettle: true });
    return { body: listener.status() };
  },
});

/** React to change (P11 to P15). */
export const listenerRoutes: readonly Route[] = [show, on, off, history, provision];

function listenerOf(context: ApiContext, name: string | undefined): ListenerControl {
  const { listener, record } = localNode(context, name);
  if (listener === null) throw noListener(record.name);
  return listener;
}
