import { DroverError, messageOf } from '../../lib/index.ts';
import { storeNoLeader } from '../../store/index.ts';
import type { ApiContext } from '../context.ts';

/** An error as `/v1` answers it. */
export interface Failure {
  readonly status: number;
  readonly text: string;
}

/** What Consul answers with; anything else is a 500, which its clients take for "try again". */
const CONSULS: ReadonlySet<number> = new Set([400, 401, 403, 404, 413, 429, 501]);

/**
 * Any error as plain text: drover's own with their message, which are Consul's texts; what nobody expected is logged and
 * says nothing of the inside.
 */
export function failureOf(context: Pick<ApiContext, 'log' | 'store'>, error: unknown): Failure {
  if (!(error instanceof DroverError)) {
    context.log.error({ err: error }, messageOf(error));
    return { status: 500, text: 'Internal error' };
  }
  const status = CONSULS.has(error.status) ? error.status : 500;
  if (status === 500) context.log.warn({ code: error.code }, error.message);
  // Nothing else: clients compare with it.
  if (error.code === storeNoLeader.code) return { status, text: 'No cluster leader' };
  const isLeaderless = error.code.startsWith('STORE_') && !context.store.status().leaderKnown;
  return { status, text: isLeaderless ? `No cluster leader: ${error.message}` : error.message };
}
