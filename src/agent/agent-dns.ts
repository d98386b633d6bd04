import { Responder, SharedAnswers, type DnsOptions } from '../dns/index.ts';
import type { Clock } from '../lib/index.ts';
import type { AgentConfig } from './config/config.ts';
import { dnsOptionsOf } from './dns-options.ts';
import { DnsServers } from './dns-servers.ts';
import type { ServerDesk } from './joined/server-desk.ts';
import { LinkAnswers } from './link-answers.ts';
import type { Log } from './log.ts';
import { preparedForDns } from './prepared-for-dns.ts';
import type { Region } from './region/region.ts';

export interface AgentDnsOptions {
  readonly config: AgentConfig;
  /** Names of the agent's first node. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** An agent's DNS: from the region in this process, which also answers agents over their links, or from a server's answers. */
export class AgentDns implements AsyncDisposable {
  /** Null where it is switched off. */
  readonly servers: DnsServers | null;
  /** What of a server's answers is kept here; null where the region is in this process. */
  readonly answers: SharedAnswers | null;
  readonly #linked: LinkAnswers | null;
  readonly #stack: AsyncDisposableStack;

  /** @throws DNS_PORT_TAKEN, DNS_PORT_DENIED, DNS_CANNOT_LISTEN */
  static async startOnServer({ config, node, clock, log }: AgentDnsOptions, { parts }: Region): Promise<AgentDns> {
    await using stack = new AsyncDisposableStack();
    const { catalog, feed, changes, acl, links } = parts;
    const options = dnsOptionsOf(config, node);
    const authority = (): ReturnType<typeof acl.access.dnsAuthority> => acl.access.dnsAuthority();
    const content = { catalog, feed, queries: preparedForDns(parts), authority };
    const isOn = config.dns.port >= 0;
    const servers = isOn ? stack.use(await DnsServers.start({ ...content, options, ...config.dns, clock, log })) : null;
    // Agents have DNS also where their server has none.
    const dns = servers ?? new Responder({ ...content, options, clock });
    if (dns instanceof Responder) stack.defer(() => dns.close());
    const linked = stack.use(new LinkAnswers({ server: node, links, feed, changes, acl, dns, isConsumer: isOn }));
    return new AgentDns(servers, null, linked, stack.move());
  }

  /** @throws DNS_PORT_TAKEN, DNS_PORT_DENIED, DNS_CANNOT_LISTEN */
  static async startJoined({ config, node, clock, log }: AgentDnsOptions, desk: ServerDesk): Promise<AgentDns> {
    await using stack = new AsyncDisposableStack();
    const answers = new SharedAnswers({ ask: (question) => desk.dns(question), clock });
    const options = dnsOptionsOf(config, node);
    const isOn = config.dns.port >= 0;
    const servers = isOn ? stack.use(await DnsServers.start({ answers, options, ...config.dns, clock, log })) : null;
    return new AgentDns(servers, answers, null, stack.move());
  }

  private constructor(
    servers: DnsServers | null,
    answers: SharedAnswers | null,
    linked: LinkAnswers | null,
    stack: AsyncDisposableStack,
  ) {
    this.servers = servers;
    this.answers = answers;
    this.#linked = linked;
    this.#stack = stack;
  }

  /** Answers by other options from the next question on. */
  reconfigure(options: DnsOptions): void {
    this.servers?.reconfigure(options);
    this.#linked?.reconfigured();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
