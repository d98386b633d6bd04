import type { PreparedQuery, PreparedQueryRecord, PreparedService } from '../../registry/index.ts';

/** What is shown of a token. */
export const HIDDEN = '<hidden>';

/** A query in Consul's form. Lists and maps without anything are null, as Go writes them: its clients compare. */
export function wireQuery(
  record: PreparedQueryRecord,
  { createRevision, modRevision }: Pick<PreparedQuery, 'createRevision' | 'modRevision'>,
): Record<string, unknown> {
  const { template } = record;
  return {
    ID: record.id,
    Name: record.name,
    Session: record.session,
    Token: record.accessor === '' ? '' : HIDDEN,
    Template: {
      Type: template === null ? '' : 'name_prefix_match',
      Regexp: template?.regexp ?? '',
      RemoveEmptyTags: template?.removeEmptyTags ?? false,
    },
    Service: wireService(record.service),
    DNS: { TTL: record.dnsTtl },
    CreateIndex: createRevision,
    ModifyIndex: modRevision,
  };
}

function wireService(service: PreparedService): Record<string, unknown> {
  const { nearestN, datacenters, targets } = service.failover;
  return {
    Service: service.service,
    SamenessGroup: '',
    Failover: {
      NearestN: nearestN,
      Datacenters: listOrNull(datacenters),
      Targets: listOrNull(targets.map(({ datacenter, peer }) => ({ Datacenter: datacenter, Peer: peer }))),
    },
    OnlyPassing: service.onlyPassing,
    IgnoreCheckIDs: listOrNull(service.ignoreCheckIds),
    Near: service.near,
    Tags: listOrNull(service.tags),
    NodeMeta: mapOrNull(service.nodeMeta),
    ServiceMeta: mapOrNull(service.serviceMeta),
    Connect: service.connect,
    Peer: '',
  };
}

function listOrNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

function mapOrNull<T>(map: Readonly<Record<string, T>>): Readonly<Record<string, T>> | null {
  return Object.keys(map).length === 0 ? null : map;
}
