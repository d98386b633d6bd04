import { unknownToken, type AccessParts } from '../access/index.ts';
import type { Changes } from '../change/index.ts';
import type { Peer, Shared, Via } from '../dns/index.ts';
import { DroverError } from '../lib/index.ts';
import type { RegionLinks } from '../link/index.ts';
import type { Feed } from '../registry/index.ts';
import { DnsShares } from './dns-shares.ts';
import { readAccessAsk, readDnsAsk } from './read-asks.ts';

/** How long an agent may go by what a server said of a token. */
const TOKEN_TTL_MS = 30_000;

export interface AnswerLinksOptions {
  /** The server's name. */
  readonly server: string;
  readonly links: RegionLinks;
  readonly feed: Pick<Feed, 'onApplied'>;
  readonly changes: Pick<Changes, 'receipt' | 'addServerConsumer'>;
  readonly acl: AccessParts;
  /** Whether this server's DNS is a consumer of its own. */
  readonly isConsumer: boolean;
  /** The server's DNS. */
  readonly dns: { share(message: Uint8Array, via: Via, peer: Peer): Shared | null };
}

/** Answers what agents without a server of their own ask over their links: their DNS, and what tokens may. */
export class LinkAnswers implements Disposable {
  readonly #shares: DnsShares;
  readonly #acl: AccessParts;
  readonly #stack = new DisposableStack();
  #shownTo: string;

  constructor({ server, links, feed, changes, acl, dns, isConsumer }: AnswerLinksOptions) {
    this.#acl = acl;
    this.#shares = new DnsShares({
      share: (packet, via, address) => dns.share(packet, via, { address }),
      tell: (node, topics) => links.ask(node, 'stale', { topics }),
      applied: (revision) => changes.receipt({ node: server, kind: 'dns', revision, outcome: 'applied' }),
    });
    links.onQuestion('dns', (ask, context) => this.#shares.answer(readDnsAsk(ask), context));
    links.onQuestion('access', (ask) => tokenOf(acl, readAccessAsk(ask).secret));
    this.#shownTo = acl.access.dnsAuthority().id;
    this.#stack.defer(feed.onApplied((change) => this.#shares.apply(change)));
    this.#stack.defer(acl.state.onChanged(() => this.#look()));
    this.#stack.defer(acl.tokens.onChanged(() => this.#look()));
    if (!isConsumer) return;
    // The responder dropped its prebuilt answers in the same turn, before anyone hears of the commit; agents say when they did.
    this.#stack.defer(
      changes.addServerConsumer({ node: server, kind: 'dns', take: (change) => this.#shares.take(change) }),
    );
  }

  /** DNS answers by other options from now on. */
  reconfigured(): void {
    this.#shares.forgetAll();
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  /** What DNS may tell to anybody can be another by now. */
  #look(): void {
    const { id } = this.#acl.access.dnsAuthority();
    if (id === this.#shownTo) return;
    this.#shownTo = id;
    this.#shares.forgetAll();
  }
}

function tokenOf({ access }: AccessParts, secret: string) {
  try {
    const rules = access.wordOf(secret);
    return { rules, accessor: rules.accessor, ttlMs: TOKEN_TTL_MS };
  } catch (error) {
    if (error instanceof DroverError && error.code === unknownToken.code) return null;
    throw error;
  }
}
