import type { SessionInput, SessionServiceCheck } from '../../kv/index.ts';
import { messageOf, parseDuration } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { foldedObject, listIn, textIn, textListIn, type Folded } from '../fields.ts';
import { checkDatacenter } from './parameters.ts';

/** Below this a number is seconds, from it on nanoseconds: old clients sent the former. */
const LEAST_NS = 1_000;
const MS_PER_S = 1_000;
const NS_PER_MS = 1e6;
/** Most checks that one session hangs on. */
const MAX_CHECKS = 64;
const MAX_NAME = 512;

/**
 * A session as `/session/create` gives it.
 *
 * @throws API_BAD_REQUEST with Consul's texts
 */
export function parseSession(body: unknown, context: Pick<ApiContext, 'firstNode' | 'region'>): SessionInput {
  const fields = foldedObject(body ?? {}, 'body');
  checkDatacenter(context, textIn(fields, 'datacenter'));
  const lockDelayMs = lockDelayOf(fields['lockdelay']);
  const name = textIn(fields, 'name');
  if (name.length > MAX_NAME) throw badRequest(`Request decode failed: name: at most ${MAX_NAME} characters`);
  const serviceChecks = serviceChecksOf(fields);
  return {
    node: textIn(fields, 'node') || context.firstNode,
    name,
    behavior: textIn(fields, 'behavior'),
    ttl: textIn(fields, 'ttl'),
    ...(lockDelayMs === undefined ? {} : { lockDelayMs }),
    ...(fields['nodechecks'] === undefined ? {} : { nodeChecks: idsIn(fields, 'nodechecks') }),
    ...(fields['checks'] === undefined ? {} : { checks: idsIn(fields, 'checks') }),
    ...(serviceChecks === undefined ? {} : { serviceChecks }),
  };
}

/** A duration, or a number of seconds or nanoseconds, also as text. */
function lockDelayOf(given: unknown): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'number') return numberOf(given);
  if (typeof given !== 'string') throw badRequest('Request decode failed: lockdelay: expected a duration');
  if (given === '') return undefined;
  if (/^\d+$/.test(given)) return numberOf(Number(given));
  try {
    return parseDuration(given);
  } catch (error) {
    throw badRequest.with({ cause: error }, `Request decode failed: ${messageOf(error)}`);
  }
}

function numberOf(given: number): number {
  return given < LEAST_NS ? given * MS_PER_S : given / NS_PER_MS;
}

function idsIn(fields: Folded, key: string): string[] {
  const ids = textListIn(fields, key);
  if (ids.length > MAX_CHECKS) throw badRequest(`Request decode failed: ${key}: at most ${MAX_CHECKS} checks`);
  return ids;
}

function serviceChecksOf(fields: Folded): SessionServiceCheck[] | undefined {
  if (fields['servicechecks'] === undefined) return undefined;
  const list = listIn(fields, 'servicechecks');
  if (list.length > MAX_CHECKS) throw badRequest(`Request decode failed: servicechecks: at most ${MAX_CHECKS} checks`);
  return list.map((one) => {
    const check = foldedObject(one, 'servicechecks');
    return { id: textIn(check, 'id'), namespace: textIn(check, 'namespace') };
  });
}
