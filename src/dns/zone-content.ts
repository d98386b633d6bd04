import { isIP } from 'node:net';
import type { ResourceRecord } from '../message/index.ts';
import { RCODE, TYPE, foldCase, parseName } from '../message/index.ts';
import type { CatalogNode } from '../registry/index.ts';
import type { Candidate, CatalogView } from './catalog-view.ts';
import type { Found, Item } from './found.ts';
import { found, item } from './found.ts';
import type { Lookup, Zone } from './lookup.ts';
import type { ExecutedQuery, PreparedQueries } from './prepared-queries.ts';
import { hexLabel, parseLookup } from './lookup.ts';
import type { DnsOptions } from './options.ts';
import { serviceTtl } from './options.ts';
import { addressRecord, authorityRecord, hostName, metaRecords, nameIn } from './records.ts';

/** How many host names within the zone are followed one after another. */
const MAX_FOLLOWED = 3;
const MAX_NAME_SERVERS = 3;

type In<K extends Lookup['kind']> = Extract<Lookup, { kind: K }>;

/** How a name came to be looked for. */
interface Way {
  /** How many host names led here. */
  readonly followed: number;
  /** Where the question comes from: an address, as its subnet option or its packet says; empty when unknown. */
  readonly source: () => string;
}

const NO_WAY: Way = { followed: 0, source: () => '' };

/** The zone's records, made from the catalog when they are asked for (`consul-dns.md` 2-4). */
export class ZoneContent {
  readonly #view: CatalogView;
  readonly #options: DnsOptions;
  readonly #zones: readonly Zone[];
  readonly #queries: PreparedQueries | null;

  constructor(view: CatalogView, options: DnsOptions, zones: readonly Zone[], queries: PreparedQueries | null = null) {
    this.#view = view;
    this.#queries = queries;
    this.#options = options;
    this.#zones = zones;
  }

  /** What there is of `type` under `name` (presentation form, lower case), which asks for `lookup`. */
  find(name: string, lookup: Lookup, type: number, way: Way = NO_WAY): Found {
    switch (lookup.kind) {
      case 'service':
        return this.#service(name, lookup, type, way);
      case 'node':
        return this.#node(name, lookup, type, way);
      case 'query':
        return this.#prepared(name, lookup, type, way);
      case 'address':
        return this.#address(name, lookup, type);
      case 'apex':
        return this.#apex(name, lookup.zone, type);
      case 'parent':
        return this.#options.legacy ? this.#nothing(lookup.zone) : this.#noData(lookup.zone);
      case 'nothing':
        return this.#nothing(lookup.zone);
      case 'reverse':
        return this.#reverse(name, lookup, type);
      case 'foreign':
        return REFUSED;
    }
  }

  #nothing(zone: Zone): Found {
    return found({ rcode: RCODE.NXDOMAIN, authorities: [authorityRecord(zone, this.#options)] });
  }

  #noData(zone: Zone, parts: Partial<Found> = {}): Found {
    return found({ authorities: [authorityRecord(zone, this.#options)], ...parts });
  }

  #service(name: string, { zone, service, tag }: In<'service'>, type: number, way: Way): Found {
    const view = this.#view.service(service);
    const fits = (instance: { readonly record: { readonly tags: readonly string[] } }): boolean =>
      tag === '' || instance.record.tags.some((one) => foldCase(one) === tag);
    const candidates = tag === '' ? view.candidates : view.candidates.filter(({ instance }) => fits(instance));
    if (candidates.length === 0) return this.#unhealthy(zone, view.registered.some(fits));
    const parts = { dependsOn: [`svc/${service}`], isCacheable: true };
    const about = { name, zone, type, ttl: this.#serviceTtl(candidates), order: this.#order };
    return this.#instances(candidates, about, parts, way);
  }

  get #order(): 'random' | 'weight' {
    return this.#options.legacy ? 'random' : 'weight';
  }

  /** What a prepared query gives: its order is kept where it says one; who asks may be told otherwise than others. */
  #prepared(name: string, { zone, query }: In<'query'>, type: number, way: Way): Found {
    const executed = this.#execute(query, way.source());
    if (executed === undefined) return this.#nothing(zone);
    const candidates = this.#view.candidatesOf(executed.instances, executed.authority);
    if (candidates.length === 0) return { ...this.#nothing(zone), isForSource: true };
    const ttl = executed.ttlSeconds ?? serviceTtl(this.#options, executed.service);
    const order = executed.isOrdered ? 'fixed' : this.#order;
    return this.#instances(candidates, { name, zone, type, ttl, order }, { isForSource: true }, way);
  }

  /** A template that is asked for by its id is as good as none. */
  #execute(query: string, source: string): ExecutedQuery | undefined {
    try {
      return this.#queries?.execute(query, { source });
    } catch {
      return undefined;
    }
  }

  #instances(
    candidates: readonly Candidate[],
    { name, zone, type, ttl, order }: { name: string; zone: Zone; type: number; ttl: number; order: Found['order'] },
    parts: Partial<Found>,
    way: Way,
  ): Found {
    if (type === TYPE.SRV) {
      const items = this.#serviceItems(name, candidates, zone, ttl);
      return found({ ...parts, items, order: order === 'fixed' ? order : 'random' });
    }
    if (!isAddressType(type)) return this.#noData(zone, parts);
    const [items, cname] = addressItems(name, candidates, ttl);
    const asked = items.filter(({ record }) => isOfType(record, type));
    if (asked.length === 0 && cname !== null) return this.#follow(cname, type, parts, way);
    if (asked.length === 0) return this.#noData(zone, parts);
    return found({ ...parts, items: asked, order, most: this.#options.aRecordLimit || Number.POSITIVE_INFINITY });
  }

  /** Consul 0.4, and with it the document, answers nothing at all while a service is there but not well. */
  #unhealthy(zone: Zone, isRegistered: boolean): Found {
    return this.#options.legacy && isRegistered ? found({}) : this.#nothing(zone);
  }

  #serviceTtl([first]: readonly Candidate[]): number {
    return first === undefined ? 0 : serviceTtl(this.#options, first.instance.record.service);
  }

  #serviceItems(name: string, candidates: readonly Candidate[], zone: Zone, ttl: number): Item[] {
    const items = new Map<string, Item>();
    for (const { instance, weight } of candidates) {
      const { address, port } = instance.record;
      const key = `${instance.node.record.name} ${address} ${port}`;
      const target = items.has(key) ? null : this.#target(instance.node, address, zone, ttl);
      if (target === null) continue;
      const data = { type: 'SRV', priority: 1, weight, port, target: target.name } as const;
      items.set(key, item({ name, ttl, data }, target.additionals));
    }
    return [...items.values()];
  }

  /** The name of an instance's address: its node's, its own address in hex, or its own host name. */
  #target(
    node: CatalogNode,
    own: string,
    zone: Zone,
    ttl: number,
  ): { name: string; additionals: ResourceRecord[] } | null {
    const nodeName = own === '' ? this.#nodeName(node.record.name, zone) : null;
    if (nodeName !== null) return { name: nodeName, additionals: this.#nodeRecords(nodeName, node, ttl) };
    const address = own === '' ? node.record.address : own;
    if (isIP(address) === 0 || address.includes('%')) {
      const name = hostName(address);
      return name === null ? null : { name, additionals: this.#hostRecords(name) };
    }
    const name = nameIn(zone, hexLabel(address), 'addr', this.#options.datacenter);
    const record = name === null ? null : addressRecord(name, address, ttl);
    return name === null || record === null ? null : { name, additionals: [record] };
  }

  #nodeName(node: string, zone: Zone): string | null {
    return nameIn(zone, node, 'node', this.#options.datacenter);
  }

  #nodeRecords(name: string, node: CatalogNode, ttl: number): ResourceRecord[] {
    const address = addressRecord(name, node.record.address, ttl);
    const meta = this.#options.nodeMetaTxt ? metaRecords(name, node, ttl, this.#options.legacy) : [];
    return address === null ? meta : [address, ...meta];
  }

  /** The addresses of a host name that lies within the zone; others are for a resolver to find. */
  #hostRecords(name: string): ResourceRecord[] {
    return this.#find(name, TYPE.ANY, { ...NO_WAY, followed: MAX_FOLLOWED })
      .items.map(({ record }) => record)
      .filter((record) => record.data.type === 'A' || record.data.type === 'AAAA');
  }

  #find(name: string, type: number, way: Way): Found {
    const folded = foldCase(name);
    return this.find(folded, this.#lookup(folded, type), type, way);
  }

  #lookup(folded: string, type: number): Lookup {
    return parseLookup(parseName(folded), type === TYPE.SRV, this.#zones, this.#options.datacenter);
  }

  /** A host name as address: the CNAME, and behind it what it leads to within the zone; what lies outside is said. */
  #follow(cname: ResourceRecord, type: number, parts: Partial<Found>, way: Way): Found {
    const target = 'target' in cname.data ? foldCase(cname.data.target) : '.';
    const lookup = this.#lookup(target, type);
    const isFollowed = way.followed < MAX_FOLLOWED;
    if (isFollowed && lookup.kind === 'foreign') return found({ ...parts, items: [item(cname)], outside: target });
    const next = isFollowed ? this.find(target, lookup, type, { ...way, followed: way.followed + 1 }) : null;
    const rest = next?.items.filter(({ record }) => record.data.type !== 'TXT') ?? [];
    return found({
      ...parts,
      items: [item(cname), ...rest],
      outside: next?.outside ?? null,
      dependsOn: [...(parts.dependsOn ?? []), ...(next?.dependsOn ?? [])],
      isForSource: parts.isForSource === true || next?.isForSource === true,
      isCacheable: parts.isCacheable === true && (rest.length === 0 || next?.isCacheable === true),
    });
  }

  #node(name: string, { zone, node: wanted }: In<'node'>, type: number, way: Way): Found {
    const node = this.#view.node(wanted);
    if (node === undefined) return this.#nothing(zone);
    const parts = { dependsOn: [`node/${wanted}`], isCacheable: true };
    const ttl = this.#options.nodeTtl;
    const meta = metaRecords(name, node, ttl, this.#options.legacy);
    const address = addressRecord(name, node.record.address, ttl);
    if (address?.data.type === 'CNAME' && isAddressType(type)) return this.#follow(address, type, parts, way);
    const addresses = address !== null && isOfType(address, type) ? [address] : [];
    const asked = type === TYPE.TXT || type === TYPE.ANY ? [...addresses, ...meta] : addresses;
    if (asked.length === 0) return this.#noData(zone, parts);
    const additionals = asked.length === addresses.length && this.#options.nodeMetaTxt ? meta : [];
    return found({ ...parts, items: asked.map((record) => item(record)), additionals });
  }

  #address(name: string, { zone, address }: In<'address'>, type: number): Found {
    const record = addressRecord(name, address, this.#options.nodeTtl);
    if (record === null) return this.#nothing(zone);
    return isOfType(record, type) ? found({ items: [item(record)] }) : this.#noData(zone, { additionals: [record] });
  }

  #apex(name: string, zone: Zone, type: number): Found {
    const servers = this.#nameServers(name, zone);
    if (type === TYPE.NS && servers.length > 0)
      return found({ items: servers, order: 'random', most: MAX_NAME_SERVERS });
    if (type !== TYPE.SOA) return this.#options.legacy ? this.#nothing(zone) : this.#noData(zone);
    const some = servers.slice(0, MAX_NAME_SERVERS);
    return found({
      items: [item(authorityRecord(zone, this.#options))],
      authorities: some.map(({ record }) => record),
      additionals: some.flatMap(({ additionals }) => additionals),
    });
  }

  #nameServers(name: string, zone: Zone): Item[] {
    const ttl = this.#options.nodeTtl;
    return this.#options.servers.flatMap((server) => {
      const target = this.#nodeName(server, zone);
      const node = this.#view.node(foldCase(server));
      if (target === null || node === undefined) return [];
      const glue = addressRecord(target, node.record.address, ttl);
      return [item({ name, ttl, data: { type: 'NS', target } }, glue === null ? [] : [glue])];
    });
  }

  #reverse(name: string, { zone, address }: In<'reverse'>, type: number): Found {
    const owner = address === null ? undefined : this.#view.ownerOf(address);
    const target = owner === undefined ? null : this.#ownerName(owner);
    if (target === null) return zone === null ? REFUSED : { ...this.#nothing(zone), forward: true };
    if (type !== TYPE.PTR && type !== TYPE.ANY) return zone === null ? found({}) : this.#noData(zone);
    return found({ items: [item({ name, ttl: this.#options.nodeTtl, data: { type: 'PTR', target } })] });
  }

  #ownerName({ node, service }: { readonly node?: string; readonly service?: string }): string | null {
    const zone = this.#zones.find((one) => one.name === this.#options.domain) as Zone;
    if (node !== undefined) return this.#nodeName(node, zone);
    return service === undefined ? null : nameIn(zone, service, 'service', this.#options.datacenter);
  }
}

/** Nobody's here: recursors are asked, or the asker is sent away. */
const REFUSED = found({ rcode: RCODE.REFUSED, authoritative: false, forward: true });

const isAddressType = (type: number): boolean => type === TYPE.A || type === TYPE.AAAA || type === TYPE.ANY;

function isOfType(record: ResourceRecord, type: number): boolean {
  return type === TYPE.ANY ? true : record.data.type === (type === TYPE.A ? 'A' : type === TYPE.AAAA ? 'AAAA' : '');
}

/** One item an address, its weight that of all instances there; beside them the first host name among the addresses. */
function addressItems(name: string, candidates: readonly Candidate[], ttl: number): [Item[], ResourceRecord | null] {
  const items = new Map<string, Item>();
  let cname: ResourceRecord | null = null;
  for (const { instance, weight } of candidates) {
    const address = instance.record.address === '' ? instance.node.record.address : instance.record.address;
    const record = items.get(address)?.record ?? addressRecord(name, address, ttl);
    if (record?.data.type === 'CNAME') cname ??= record;
    else if (record !== null) items.set(address, item(record, [], weight + (items.get(address)?.weight ?? 0)));
  }
  return [[...items.values()], cname];
}
