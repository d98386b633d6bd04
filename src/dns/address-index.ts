import { isIP } from 'node:net';
import type { AppliedChange, CatalogNode, CatalogReader } from '../registry/index.ts';
import { normalAddress } from './normal-address.ts';

/** What may be told. */
interface Shows {
  node(node: CatalogNode): boolean;
  service(name: string): boolean;
}

/** Who has which address, for PTR questions. Built when first asked, then kept by looking again at what changed. */
export class AddressIndex {
  readonly #catalog: CatalogReader;
  readonly #shows: Shows;
  #built = false;
  readonly #nodes = new Owners();
  readonly #services = new Owners();
  readonly #staleNodes = new Set<string>();
  readonly #staleServices = new Set<string>();

  constructor(catalog: CatalogReader, shows: Shows) {
    this.#catalog = catalog;
    this.#shows = shows;
  }

  reset(): void {
    this.#built = false;
    for (const part of [this.#nodes, this.#services, this.#staleNodes, this.#staleServices]) part.clear();
  }

  apply(change: AppliedChange): void {
    if (!this.#built) return;
    for (const name of change.nodes) this.#staleNodes.add(name);
    for (const name of change.services) this.#staleServices.add(name);
  }

  /** The first node by name with this address, else the first service. */
  ownerOf(address: string): { readonly node?: string; readonly service?: string } | undefined {
    this.#refresh();
    const node = this.#nodes.first(address);
    if (node !== undefined) return { node };
    const service = this.#services.first(address);
    return service === undefined ? undefined : { service };
  }

  #refresh(): void {
    if (!this.#built) {
      for (const node of this.#catalog.nodes()) this.#staleNodes.add(node.record.name);
      for (const name of this.#catalog.serviceNames()) this.#staleServices.add(name);
      this.#built = true;
    }
    for (const name of this.#staleNodes) this.#nodes.set(name, this.#addressesOfNode(name));
    for (const name of this.#staleServices) this.#services.set(name, this.#addressesOfService(name));
    this.#staleNodes.clear();
    this.#staleServices.clear();
  }

  #addressesOfNode(name: string): string[] {
    const node = this.#catalog.node(name);
    return node === undefined || !this.#shows.node(node) ? [] : addressesIn([node.record.address]);
  }

  #addressesOfService(name: string): string[] {
    if (!this.#shows.service(name)) return [];
    const instances = this.#catalog.instances(name).filter((instance) => this.#shows.node(instance.node));
    return addressesIn(instances.map((instance) => instance.record.address));
  }
}

const addressesIn = (texts: readonly string[]): string[] => [
  ...new Set(texts.filter((text) => isIP(text) !== 0).map(normalAddress)),
];

/** Names by address, and addresses by name so that a name's old ones can be taken back. */
class Owners {
  readonly #byAddress = new Map<string, Set<string>>();
  readonly #byName = new Map<string, readonly string[]>();

  set(name: string, addresses: readonly string[]): void {
    for (const address of this.#byName.get(name) ?? []) {
      const names = this.#byAddress.get(address);
      if (names?.delete(name) === true && names.size === 0) this.#byAddress.delete(address);
    }
    if (addresses.length === 0) this.#byName.delete(name);
    else this.#byName.set(name, addresses);
    for (const address of addresses)
      this.#byAddress.set(address, (this.#byAddress.get(address) ?? new Set()).add(name));
  }

  first(address: string): string | undefined {
    const names = this.#byAddress.get(address);
    return names === undefined ? undefined : [...names].toSorted()[0];
  }

  clear(): void {
    this.#byAddress.clear();
    this.#byName.clear();
  }
}
