import type { NodeProvisions, NodeReach, ReachVia } from '../../api/index.ts';
import { DroverError } from '../../lib/index.ts';
import { linkAway, type RegionLinks } from '../../link/index.ts';
import type { Catalog } from '../../registry/index.ts';
import { bracketed } from '../own-address.ts';
import type { RegionServers } from '../servers/region-servers.ts';

export interface ReachNodeOptions {
  readonly links: Pick<RegionLinks, 'nodes' | 'order' | 'ask'>;
  readonly catalog: Pick<Catalog, 'node' | 'nodeState'>;
  readonly servers: Pick<RegionServers, 'list' | 'self'>;
  /** Whether nothing at all comes back from a machine. */
  readonly isSilent: (address: string) => Promise<boolean>;
}

const TIMEOUT_MS = 5_000;

/** Reaches a node over its link, or through the server that it is linked to: one step, never on from there. */
export class ReachNode implements NodeReach {
  readonly #options: ReachNodeOptions;

  constructor(options: ReachNodeOptions) {
    this.#options = options;
  }

  async provision(node: string, cause: string, via: ReachVia): Promise<void> {
    const { links } = this.#options;
    if (this.#isHere(node)) return links.order(node, { type: 'provision', skipSettle: true, cause });
    await this.#elsewhere(node, via, 'POST', `provisions?direct=true&cause=${encodeURIComponent(cause)}`);
  }

  async provisions(node: string, via: ReachVia): Promise<NodeProvisions> {
    const { links } = this.#options;
    if (!this.#isHere(node))
      return (await this.#elsewhere(node, via, 'GET', 'provisions?direct=true')) as NodeProvisions;
    const { status } = await links.ask(node, 'listener', {}, { timeoutMs: TIMEOUT_MS });
    return status as NodeProvisions;
  }

  async answers(node: string): Promise<boolean> {
    const { links, catalog, isSilent } = this.#options;
    const found = catalog.node(node);
    if (found === undefined) return false;
    return links.nodes().includes(node) || found.alive.status === 'up' || !(await isSilent(found.record.address));
  }

  #isHere(node: string): boolean {
    return this.#options.links.nodes().includes(node);
  }

  /** @throws LINK_AWAY where there is no such server, and the other server's error */
  async #elsewhere(node: string, { secret, isDirect }: ReachVia, method: string, path: string): Promise<unknown> {
    const { catalog, servers } = this.#options;
    const owner = catalog.nodeState(node)?.owner?.server;
    const server = servers.list().find(({ name, httpPort }) => name === owner && httpPort > 0);
    if (isDirect || server === undefined || server.name === servers.self.name) throw linkAway(node);
    const url = `http://${bracketed(server.address)}:${server.httpPort}/v2/nodes/${encodeURIComponent(node)}/${path}`;
    const headers = secret === '' ? {} : { 'x-consul-token': secret };
    // Never to where an answer points: a token is sent along.
    const options = { method, headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) } as const;
    const answer = await fetch(url, options).catch(() => null);
    if (answer === null) throw linkAway(node);
    const body = (await answer.json().catch(() => ({}))) as { error?: { code: string; message: string } };
    if (answer.ok) return body;
    const { code = linkAway.code, message = 'it failed' } = body.error ?? {};
    throw new DroverError({ code, status: answer.status, exitCode: 1 }, message);
  }
}
