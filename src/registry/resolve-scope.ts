import type { Definition, Template } from '../definition/index.ts';
import { parseTemplate } from '../definition/index.ts';
import { digest, fingerprint } from '../lib/index.ts';
import type { CatalogReader, Instance } from './catalog-reader.ts';
import { healthOf, isRoutable } from './health-of.ts';
import type { Member } from './node-view.ts';
import type { Health } from './records.ts';

/** An instance as resolution sees it; `key` is `<node>/<id>`. */
export interface Candidate {
  readonly key: string;
  readonly instance: Instance;
  readonly health: Health;
}

/** The members of one backend and a digest of them. */
export interface MemberSet {
  readonly members: readonly Member[];
  readonly digest: string;
}

/**
 * What all resolutions of one revision share: candidates, members and parsed templates, each made once. It is valid only
 * while the catalog stands at that revision, so it is made for one event-loop turn and thrown away.
 */
export class ResolveScope {
  readonly catalog: CatalogReader;
  readonly #candidates = new Map<string, readonly Candidate[]>();
  readonly #members = new Map<string, MemberSet>();
  readonly #templates = new Map<string, Template | null>();
  readonly #digests = new Map<Definition, string>();
  readonly #notes = new Map<unknown, Map<Definition, unknown>>();

  constructor(catalog: CatalogReader) {
    this.catalog = catalog;
  }

  /** Instances of a service on nodes of the federation (P8), in order of node, then id. */
  candidates(federation: string, service: string): readonly Candidate[] {
    return remember(this.#candidates, `${federation}/${service}`, () =>
      this.catalog
        .instances(service)
        .filter((instance) => instance.node.record.federation === federation)
        .map((instance) => ({ key: instanceKeyOf(instance), instance, health: healthOf(instance) })),
    );
  }

  /** Routable and draining instances of the services, which are one shared set or a single service. */
  members(services: readonly Definition[]): MemberSet {
    const name = services.map((service) => `${service.federation}/${service.id}`).join(' ');
    return remember(this.#members, name, () => this.#memberSet(services));
  }

  /** null for text that is no template: it was refused when applied, and must not bring a server down if it got in. */
  template(text: string): Template | null {
    return remember(this.#templates, text, () => parsed(text));
  }

  /** A digest of a definition's content. */
  digest(definition: Definition): string {
    return remember(this.#digests, definition, () => fingerprint(definition));
  }

  /** What `make` says of a definition: asked once for each, as it is the same for every node of the federation. */
  once<T>(make: (scope: ResolveScope, definition: Definition) => T, definition: Definition): T {
    const notes = remember(this.#notes, make, () => new Map<Definition, unknown>());
    return remember(notes, definition, () => make(this, definition)) as T;
  }

  #memberSet(services: readonly Definition[]): MemberSet {
    const members = services
      .flatMap((service) =>
        this.candidates(service.federation, service.id)
          .filter(({ health }) => isRoutable(health) || health === 'draining')
          .map((candidate) => memberOf(candidate, service)),
      )
      .filter((member) => member !== null);
    return memberSet(members);
  }
}

/** Members with their digest. */
export function memberSet(members: readonly Member[]): MemberSet {
  const parts = members.map((one) => [one.key, one.address, one.port, one.weight, one.draining]);
  return { members, digest: digest(parts) };
}

/** `<node>/<id>`, which names an instance in the whole region. */
export function instanceKeyOf(instance: Instance): string {
  return `${instance.node.record.name}/${instance.record.id}`;
}

/** Where an instance listens: its own address, else its node's. */
export function addressOf(instance: Instance): string {
  return instance.record.address === '' ? instance.node.record.address : instance.record.address;
}

/** The port of an instance: its own, else `environment.PORT`, else `local_port` (P2); null when none of them says. */
export function portOf(definition: Definition, instancePort: number): number | null {
  if (instancePort > 0) return instancePort;
  const declared = Number(definition.environment['PORT']);
  return Number.isInteger(declared) && declared > 0 ? declared : definition.localPort;
}

/** A member of a backend from an instance; null when nobody says its port. */
export function memberOf({ key, instance, health }: Candidate, service: Definition): Member | null {
  const port = portOf(service, instance.record.port);
  if (port === null) return null;
  const { record, node } = instance;
  return {
    key,
    node: node.record.name,
    id: record.id,
    address: addressOf(instance),
    port,
    weight: health === 'warning' ? record.weights.warning : record.weights.passing,
    draining: health === 'draining',
  };
}

function parsed(text: string): Template | null {
  try {
    return parseTemplate(text);
  } catch {
    return null;
  }
}

function remember<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
