import {
  DnsServer,
  type DnsContent,
  type DnsOptions,
  type ForwardedContent,
  type Peer,
  type Shared,
  type Via,
} from '../dns/index.ts';
import { messageOf, type Clock } from '../lib/index.ts';
import type { Log } from './log.ts';

/** What DNS answers from, and where. */
export type DnsServersOptions = DnsPlaces & (DnsContent | ForwardedContent);

/** How DNS answers, and where. */
export interface DnsPlaces {
  readonly options: DnsOptions;
  /** At least one. */
  readonly addresses: readonly string[];
  /** 0: what is free on the first address is taken on all. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** DNS on every address of an agent, by the same options everywhere. */
export class DnsServers implements AsyncDisposable {
  readonly #servers: DnsServer[] = [];
  #stack = new AsyncDisposableStack();

  /** @throws DNS_PORT_TAKEN, DNS_PORT_DENIED, DNS_CANNOT_LISTEN */
  static async start(options: DnsServersOptions): Promise<DnsServers> {
    await using stack = new AsyncDisposableStack();
    const all = new DnsServers();
    for (const address of options.addresses) all.#servers.push(stack.use(await all.#startOn(address, options)));
    all.#stack = stack.move();
    return all;
  }

  #startOn(address: string, options: DnsServersOptions): Promise<DnsServer> {
    return DnsServer.start({
      ...options,
      address,
      port: this.#servers[0]?.port ?? options.port,
      siblings: () => this.#servers,
      onError: (error) => options.log.error({ err: error }, `DNS: ${messageOf(error)}`),
    });
  }

  /** The port on all addresses. */
  get port(): number {
    return (this.#servers[0] as DnsServer).port;
  }

  /** An answer with what it is made of, for an agent that keeps it; null where the region is elsewhere. */
  share(message: Uint8Array, via: Via, peer: Peer): Shared | null {
    return (this.#servers[0] as DnsServer).share(message, via, peer);
  }

  /** Answers by other options from the next question on. */
  reconfigure(options: DnsOptions): void {
    for (const server of this.#servers) server.reconfigure(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
