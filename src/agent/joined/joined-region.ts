import { RemoteAccess } from '../../access/index.ts';
import { Forwarder } from '../../api/index.ts';
import type { Ask } from '../../event/index.ts';
import type { Clock } from '../../lib/index.ts';
import type { AgentConfig } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { AccessOptions } from '../region/region-options.ts';
import { startBareRegion } from './bare-region.ts';
import { LinkRecord } from './link-record.ts';
import { RemoteTargets } from './remote-targets.ts';
import type { JoinedServers } from './servers.ts';
import type { ServerDesk } from './server-desk.ts';

export interface JoinedRegionOptions {
  readonly config: Pick<AgentConfig, 'datacenter' | 'nodes' | 'sessionTtlMinMs'>;
  readonly accessControl: AccessOptions;
  /** Servers to link to and to hand requests on to; null for an agent that was told of none. */
  readonly servers: JoinedServers | null;
  /** What a server is asked over the link. */
  readonly desk: ServerDesk;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** A region that is elsewhere, as its API, DNS and access control are here: asked for, and remembered while nobody can be asked. */
export class JoinedRegion implements AsyncDisposable {
  readonly parts: Awaited<ReturnType<typeof startBareRegion>>;
  /** Null where there are no servers to hand anything on to. */
  readonly forwarder: Forwarder | null;
  /** How nodes elsewhere are; null where there are no servers to ask. */
  readonly targets: RemoteTargets | null;
  readonly #stack: AsyncDisposableStack;

  static async start(options: JoinedRegionOptions): Promise<JoinedRegion> {
    await using stack = new AsyncDisposableStack();
    const { accessControl, clock, config, desk, random } = options;
    const { settings, tokens } = accessControl;
    const access = new RemoteAccess({ ask: (secret) => desk.tokenOf(secret), settings, tokens, clock });
    const parts = await startBareRegion(
      {
        name: config.datacenter,
        node: config.nodes[0]?.name ?? '',
        accessControl,
        access: options.servers === null ? null : access,
        sessionTtlMinMs: config.sessionTtlMinMs,
        clock,
        random,
      },
      stack,
    );
    const forwarder = forwarderOf(options, stack);
    const targets = forwarder === null ? null : stack.use(targetsOf(forwarder, options));
    return new JoinedRegion({ parts, forwarder, targets }, stack.move());
  }

  private constructor(
    { parts, forwarder, targets }: Pick<JoinedRegion, 'parts' | 'forwarder' | 'targets'>,
    stack: AsyncDisposableStack,
  ) {
    this.parts = parts;
    this.forwarder = forwarder;
    this.targets = targets;
    this.#stack = stack;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Asked with the agent's own token. */
function targetsOf(forwarder: Forwarder, { accessControl: { tokens }, clock }: JoinedRegionOptions): RemoteTargets {
  const token = (): string | null => tokens.get('agent') || null;
  const ask: Ask = (question, signal) => forwarder.ask(question, { token: token(), signal });
  return new RemoteTargets({ ask, retryMs: RETRY_MS, clock });
}

/** After a question that came to nothing. */
const RETRY_MS = 1_000;

function forwarderOf(options: JoinedRegionOptions, stack: AsyncDisposableStack): Forwarder | null {
  const { accessControl, clock, config, log, servers } = options;
  if (servers === null) return null;
  const record = stack.use(new LinkRecord(servers, clock));
  return stack.use(
    new Forwarder({
      servers,
      standing: () => record.standing(),
      node: config.nodes[0]?.name ?? '',
      defaultToken: () => accessControl.tokens.get('default'),
      clock,
      log,
    }),
  );
}
