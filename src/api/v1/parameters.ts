import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import type { Query } from './query.ts';

/** What of Consul's Enterprise and mesh narrows an answer down: only its default can be asked for. */
const ENTERPRISE: readonly string[] = ['ns', 'partition', 'peer', 'segment', 'sg'];

/**
 * Refuses what would change the answer and is not there yet, rather than answering something else: namespaces,
 * and datacenters other than this one, except where the agent speaks for itself.
 *
 * @throws API_BAD_REQUEST, API_INTERNAL with Consul's texts
 */
export function checkParameters(context: ApiContext, path: string, query: Query): void {
  if (query.isEmpty) return;
  if (!path.startsWith('agent/')) checkDatacenter(context, query.get('dc') ?? '');
  for (const name of ENTERPRISE)
    if (!['', 'default', null].includes(query.get(name)))
      throw badRequest(`Invalid query parameter: "${name}" - only the default one exists`);
}

/** @throws API_INTERNAL with Consul's text for a datacenter other than this one */
export function checkDatacenter(context: Pick<ApiContext, 'region'>, name: string): void {
  if (name !== '' && name !== context.region) throw internal('No path to datacenter');
}

/** Go's booleans; undefined for what is none. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  return /^(?:0|f|false)$/i.test(text) ? false : undefined;
}
