import { messageOf, type Clock } from '../../lib/index.ts';
import { openNodeChannel, type LinkPulse, type NodeChannel, type NodeLink } from '../../link/index.ts';
import { noRegion } from '../errors.ts';
import type { AskServer } from './server-desk.ts';
import type { JoinedServers } from './servers.ts';

export interface ServerLinksOptions {
  readonly servers: JoinedServers;
  readonly pulse: LinkPulse;
  /** The agent's own token; empty for none. Asked for each link: it can be set while the agent runs. */
  readonly token: () => string;
  readonly clock: Clock;
  /** Called when there is a link again, and when the last one is gone: what was told over it stands no longer. */
  readonly onChange: () => void;
}

/** The links of an agent's nodes to servers elsewhere: one each, all to the same server while that is there. */
export class ServerLinks {
  readonly #options: ServerLinksOptions;
  readonly #urls = new WeakMap<NodeChannel, string>();
  readonly #open = new Set<NodeLink>();

  constructor(options: ServerLinksOptions) {
    this.#options = options;
  }

  /** An open link, over which the region can be asked; null while there is none. */
  get any(): AskServer | null {
    for (const link of this.#open) if (link.isOpen) return link;
    return null;
  }

  /** Opens a channel to a server, when its turn has come. @throws AGENT_NO_REGION saying why there is none, or the signal's reason */
  async connect(signal: AbortSignal): Promise<NodeChannel> {
    const { servers, pulse, token, clock } = this.#options;
    const choice = servers.choose();
    if (choice === null) throw noRegion([], '');
    if (choice.waitMs > 0) await clock.sleep(choice.waitMs, signal);
    const { url } = choice.candidate;
    try {
      const channel = await openNodeChannel({ url, token: token(), pulse, signal });
      this.#urls.set(channel, url);
      return channel;
    } catch (error) {
      signal.throwIfAborted();
      servers.failed(url);
      const all = servers.candidates.map((one) => one.url);
      throw noRegion.with({ cause: error }, all, messageOf(error));
    }
  }

  /** A node's greeting was refused: another server may take it. */
  refused(channel: NodeChannel): void {
    this.#options.servers.failed(this.#urls.get(channel) ?? '');
  }

  /** A node has greeted over a channel of `connect`. */
  linked(link: NodeLink, channel: NodeChannel): void {
    const { servers, onChange } = this.#options;
    const url = this.#urls.get(channel) ?? '';
    this.#open.add(link);
    servers.linked(url, link.server);
    link.onServers((all) => servers.told(all));
    onChange();
    void link.closed.then(() => {
      this.#open.delete(link);
      servers.lost(url);
      onChange();
    });
  }
}
