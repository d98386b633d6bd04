import type { ByToken } from '../../access/index.ts';
import type { LiveQuery } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { answerRead, type Present } from './blocking.ts';
import type { V1Answer, V1Request } from './exchange.ts';

export type Answering = V1Answer | Promise<V1Answer>;

/** A blocking read of access control, for those who may read it. @throws ACCESS_DENIED */
export function aclRead(context: ApiContext, request: V1Request, query: LiveQuery, present?: Present): Answering {
  request.authority.demand('acl', '', 'read');
  return answerRead(context, request, { ...query, key: `acl ${query.key}` }, present);
}

/** For a read that renders nothing where nothing is: whoever waits is told of the end, and of what comes to be. */
export function orMissing(status: number, text: string): Present {
  return ({ body }) => (body.length === 0 ? { status, text } : { json: body });
}

/** Who changes something, for history and for what nobody may do to their own token. */
export function authored({ author, authority }: V1Request): ByToken {
  return { author, accessor: authority.accessor };
}
