import type { PreparedFailover, PreparedQueryRecord, PreparedService, PreparedTemplate } from '../../registry/index.ts';
import { badRequest, internal } from '../errors.ts';
import { flagIn, foldedObject, type Folded, listIn, objectIn, textIn, textListIn, textsIn } from '../fields.ts';

/** A query as a client sends it, with the token's secret, which is not kept. */
export interface SentQuery {
  readonly record: Omit<PreparedQueryRecord, 'accessor'>;
  readonly token: string;
}

/** Reads a body; what it means is judged by the registry. @throws API_BAD_REQUEST, API_INTERNAL with Consul's texts */
export function sentQuery(body: unknown): SentQuery {
  const fields = foldedObject(body, 'body');
  const inner = (key: string): Folded => foldedObject(objectIn(fields, key) ?? {}, key);
  return {
    token: textIn(fields, 'token'),
    record: {
      id: textIn(fields, 'id'),
      name: textIn(fields, 'name'),
      session: textIn(fields, 'session'),
      template: templateOf(inner('template')),
      service: serviceOf(inner('service')),
      dnsTtl: textIn(inner('dns'), 'ttl'),
    },
  };
}

function templateOf(fields: Folded): PreparedTemplate | null {
  const type = textIn(fields, 'type');
  if (type === '') return null;
  if (type !== 'name_prefix_match') throw internal(`Bad Template.Type '${type}'`);
  return { regexp: textIn(fields, 'regexp'), removeEmptyTags: flagIn(fields, 'removeemptytags') };
}

function serviceOf(fields: Folded): PreparedService {
  return {
    service: textIn(fields, 'service'),
    tags: textListIn(fields, 'tags'),
    nodeMeta: textsIn(fields, 'nodemeta'),
    serviceMeta: textsIn(fields, 'servicemeta'),
    onlyPassing: flagIn(fields, 'onlypassing'),
    ignoreCheckIds: textListIn(fields, 'ignorecheckids'),
    near: textIn(fields, 'near'),
    connect: flagIn(fields, 'connect'),
    failover: failoverOf(foldedObject(objectIn(fields, 'failover') ?? {}, 'failover')),
  };
}

function failoverOf(fields: Folded): PreparedFailover {
  const nearestN = fields.nearestn ?? 0;
  if (!Number.isInteger(nearestN)) throw badRequest('Request decode failed: nearestn: expected a whole number');
  const targets = listIn(fields, 'targets').map((target) => {
    const one = foldedObject(target, 'targets');
    return { datacenter: textIn(one, 'datacenter'), peer: textIn(one, 'peer') };
  });
  return { nearestN: nearestN as number, datacenters: textListIn(fields, 'datacenters'), targets };
}
