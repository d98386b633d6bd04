import { foldCase } from '../message/index.ts';
import type { Authority } from '../access/index.ts';
import { ALL_ALLOWED } from '../access/index.ts';
import type { AppliedChange, CatalogNode, CatalogReader, Health, Instance } from '../registry/index.ts';
import { healthOf, isRoutable, weightOf } from '../registry/index.ts';
import { AddressIndex } from './address-index.ts';
import { normalAddress } from './normal-address.ts';

/** An instance that may be answered. */
export interface Candidate {
  readonly instance: Instance;
  /** 1 at least: a healthy instance is never shut out by a weight of 0. */
  readonly weight: number;
}

/** A service as DNS sees it. */
export interface ServiceView {
  /** All that are registered, in order of node and id. */
  readonly registered: readonly Instance[];
  readonly candidates: readonly Candidate[];
}

const NONE: ServiceView = { registered: [], candidates: [] };

/** The catalog by names in any case, with what is routable worked out once per change of a service. */
export class CatalogView {
  readonly #catalog: CatalogReader;
  readonly #federation: string | null;
  readonly #onlyPassing: boolean;
  #authority: Authority = ALL_ALLOWED;
  /** Names with capital letters by their lower case; all others are found as they are. */
  readonly #capitalServices = new Map<string, Set<string>>();
  readonly #capitalNodes = new Map<string, Set<string>>();
  readonly #services = new Map<string, ServiceView>();
  readonly #addresses: AddressIndex;

  constructor(catalog: CatalogReader, options: { readonly federation: string | null; readonly onlyPassing: boolean }) {
    this.#catalog = catalog;
    this.#federation = options.federation;
    this.#onlyPassing = options.onlyPassing;
    this.#addresses = new AddressIndex(catalog, {
      node: (node) => this.#isVisible(node),
      service: (name) => this.#isShown(name),
    });
    this.reset();
  }

  /** Shows from now on what another authority may see. */
  showTo(authority: Authority): void {
    this.#authority = authority;
    this.reset();
  }

  /** Forgets everything that was worked out. */
  reset(): void {
    this.#services.clear();
    this.#capitalServices.clear();
    this.#capitalNodes.clear();
    this.#addresses.reset();
    for (const name of this.#catalog.serviceNames()) note(this.#capitalServices, name, true);
    for (const node of this.#catalog.nodes()) note(this.#capitalNodes, node.record.name, true);
  }

  /** Takes up a change: what it touched is worked out again when next asked for. */
  apply(change: AppliedChange): void {
    for (const name of change.services) {
      this.#services.delete(foldCase(name));
      note(this.#capitalServices, name, this.#catalog.instances(name).length > 0);
    }
    for (const name of change.nodes) note(this.#capitalNodes, name, this.#catalog.node(name) !== undefined);
    this.#addresses.apply(change);
  }

  /** A service by its name in lower case; without instances when there is none. */
  service(folded: string): ServiceView {
    const known = this.#services.get(folded);
    if (known !== undefined) return known;
    const found = this.#compute(folded);
    if (found.registered.length === 0) return NONE;
    this.#services.set(folded, found);
    return found;
  }

  #compute(folded: string): ServiceView {
    const names = [folded, ...(this.#capitalServices.get(folded) ?? [])];
    const registered = names.flatMap((name) => this.#catalog.instances(name)).filter((one) => this.#isSeen(one));
    return { registered, candidates: this.#candidates(registered) };
  }

  /** What a prepared query gives, in its order: it has judged their health, and may leave checks out. */
  candidatesOf(instances: readonly Instance[], authority = this.#authority): readonly Candidate[] {
    return instances
      .filter((one) => this.#isSeen(one, authority))
      .map((instance) => ({ instance, weight: clampWeight(weightOf(instance) || instance.record.weights.warning) }));
  }

  #isSeen({ node, record }: Instance, authority = this.#authority): boolean {
    return authority.allows('service', record.service, 'read') && this.#isVisible(node, authority);
  }

  #candidates(instances: readonly Instance[]): Candidate[] {
    const candidates: Candidate[] = [];
    for (const instance of instances) {
      const health = healthOf(instance);
      if (this.#isAnswered(health)) candidates.push({ instance, weight: clampWeight(weightOf(instance, health)) });
    }
    return candidates;
  }

  #isAnswered(health: Health): boolean {
    return this.#onlyPassing ? health === 'passing' : isRoutable(health);
  }

  #isShown(service: string): boolean {
    return this.#authority.allows('service', service, 'read');
  }

  #isVisible(node: CatalogNode, authority = this.#authority): boolean {
    if (this.#federation !== null && node.record.federation !== this.#federation) return false;
    return authority.allows('node', node.record.name, 'read');
  }

  /** A node by its name in lower case, whatever its health. */
  node(folded: string): CatalogNode | undefined {
    for (const name of [folded, ...(this.#capitalNodes.get(folded) ?? [])]) {
      const node = this.#catalog.node(name);
      if (node !== undefined && this.#isVisible(node)) return node;
    }
    return undefined;
  }

  /** Whose address this is: a node's, else that of a service with an address of its own. */
  ownerOf(address: string): { readonly node?: string; readonly service?: string } | undefined {
    return this.#addresses.ownerOf(normalAddress(address));
  }
}

const clampWeight = (weight: number): number => Math.min(65_535, Math.max(1, Math.round(weight)));

function note(capitals: Map<string, Set<string>>, name: string, exists: boolean): void {
  const folded = foldCase(name);
  if (folded === name) return;
  const names = capitals.get(folded) ?? new Set();
  if (exists) capitals.set(folded, names.add(name));
  else if (names.delete(name) && names.size === 0) capitals.delete(folded);
}
