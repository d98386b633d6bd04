import { agentTokenKind } from '../../access/index.ts';
import type { ApiContext } from '../context.ts';
import { notFound } from '../errors.ts';
import { foldedObject, textIn } from '../fields.ts';
import { bodyJson, EMPTY, type V1Answer, type V1Request } from './exchange.ts';
import { argumentOf } from './on-node.ts';

/** `PUT /v1/agent/token/:kind`: what the agent itself shows; empty takes it away. */
export async function setAgentToken(context: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('agent', context.firstNode, 'write');
  const name = argumentOf(request, 'token kind');
  const secret = textIn(foldedObject(bodyJson(request), 'body'), 'token');
  const kind = agentTokenKind(name);
  if (kind === undefined) throw notFound(`Token ${JSON.stringify(name)} is unknown`);
  await context.acl.tokens.set(kind, secret);
  return EMPTY;
}
