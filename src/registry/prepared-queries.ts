import { parseDuration } from '../lib/index.ts';
import type { CatalogReader, Instance } from './catalog-reader.ts';
import type { PreparedQueryRecord } from './prepared-query.ts';
import type { PreparedState } from './prepared-state.ts';
import { selectPrepared } from './select-prepared.ts';

/** What a prepared query gives at the moment. */
export interface ExecutedQuery {
  /** The query itself; of a template what it makes of the name. */
  readonly query: PreparedQueryRecord;
  readonly service: string;
  /** Healthy ones that the query asks for. */
  readonly instances: readonly Instance[];
  /** Of its `DNS.TTL`; null when it says none. */
  readonly ttlSeconds: number | null;
  /** Other datacenters that were asked; 0 while there is one. */
  readonly failovers: number;
  /** Whether the order means something and is to be kept; else it is up to who asks to shuffle. */
  readonly isOrdered: boolean;
}

/** How a query is executed. */
export interface ExecuteOptions {
  /** At most so many instances; 0 for all. Only meant where the order is kept: else shuffle first. */
  readonly limit?: number;
  /** A node's name, `_agent` or `_ip`: it counts before what the query says. */
  readonly near?: string;
  /** The address of who asks, which `_ip` means. */
  readonly source?: string;
}

export interface PreparedQueriesOptions {
  readonly state: PreparedState;
  readonly catalog: CatalogReader;
  /** The node that `_agent` stands for. */
  readonly agent: string;
}

/** Executes prepared queries. */
export class PreparedQueries {
  /** The queries themselves. */
  readonly state: PreparedState;
  readonly #catalog: CatalogReader;
  readonly #agent: string;

  constructor({ state, catalog, agent }: PreparedQueriesOptions) {
    this.state = state;
    this.#catalog = catalog;
    this.#agent = agent;
  }

  /**
   * The instances that a query asks for; undefined when there is none of the name or id. It depends on the topic `pq` and
   * on that of the service.
   *
   * @throws REGISTRY_BAD_PREPARED_QUERY for a template that is asked for by its id
   */
  execute(nameOrId: string, { limit = 0, near = '', source = '' }: ExecuteOptions = {}): ExecutedQuery | undefined {
    const query = this.state.resolve(nameOrId);
    if (query === undefined) return undefined;
    const { service } = query;
    const found = selectPrepared(service.connect ? [] : this.#catalog.instances(service.service), service);
    const wanted = near || service.near;
    const instances = nearFirst(found, this.#isNear(wanted, source));
    return {
      query,
      service: service.service,
      instances: limit > 0 ? instances.slice(0, limit) : instances,
      ttlSeconds: query.dnsTtl === '' ? null : Math.floor(parseDuration(query.dnsTtl) / 1_000),
      failovers: 0,
      isOrdered: wanted !== '',
    };
  }

  #isNear(wanted: string, source: string): (instance: Instance) => boolean {
    if (wanted === '_ip') return ({ node }) => source !== '' && node.record.address === source;
    const name = wanted === '_agent' ? this.#agent : wanted;
    return ({ node }) => node.record.name === name;
  }
}

/** There are no distances between nodes: only that a node is nearest to itself. */
function nearFirst(instances: readonly Instance[], isNear: (instance: Instance) => boolean): readonly Instance[] {
  return [...instances.filter(isNear), ...instances.filter((one) => !isNear(one))];
}
