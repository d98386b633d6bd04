import type { ListenerControl, NodeProvisions } from '../api/index.ts';
import type { Consumer } from '../change/index.ts';
import { HealthChecks } from '../health/index.ts';
import { messageOf, type DroverError } from '../lib/index.ts';
import { QuestionHandlers, type NodeQuestions, type Order } from '../link/index.ts';
import type { CheckRecord } from '../registry/index.ts';
import type { NodeConfig } from './config/config.ts';
import { Consumers } from './consumers.ts';
import { agentStops } from './errors.ts';
import { HostedNode } from './hosted-node.ts';
import { LocalServices } from './local-services.ts';
import type { Log } from './log.ts';
import { NodeLinkKeeper, type LinkEnds } from './node-link-keeper.ts';
import type { StartNodeOptions } from './node-options.ts';
import { NodeTargets } from './node-targets.ts';
import { nodeRecordOf } from './node-record.ts';
import { Registrations } from './registrations.ts';
import { RunningChecks } from './running-checks.ts';
import { startConsumers, type NodeConsumers } from './start-consumers.ts';

/** Why a node stops: its agent does, it is started again with another configuration, or it leaves the region. */
export type Ending = 'stop' | 'restart' | 'leave';

/** A node that runs: the API's face of it, and how to end it. */
export interface StartedNode extends AsyncDisposable {
  readonly node: HostedNode;
  readonly config: NodeConfig;
  /** Stops it; disposing of it is stopping with its agent. */
  end(why: Ending): Promise<void>;
}

/** Whoever waits longer for an answer asks again: nothing else of the listener goes on meanwhile. */
const ASK_PLACE_MS = 2_000;

/**
 * Starts one node: what is registered on it, its checks, then environment, balancer and listener, and last its link.
 * Resolves when the region has taken the node up. Whatever was started is stopped again when a later part fails.
 */
export async function startNode(options: StartNodeOptions): Promise<StartedNode> {
  await using stack = new AsyncDisposableStack();
  const { config, log, clock } = options;
  const warn = (text: string): void => log.warn({ node: config.name }, text);
  let why: Ending = 'stop';
  const { stateDirectory } = options;
  const registrations = stack.use(await Registrations.open(options.keepsRegistrations ? stateDirectory : null, warn));
  const questions = new QuestionHandlers<NodeQuestions>(options.questions);
  const info = (text: string): void => log.info({ node: config.name }, text);
  const link = stack.use(new NodeLinkKeeper({ ...options, questions, node: config.name, warn, info }));
  const targets = new NodeTargets(config.name, options.elsewhere);
  const health = stack.use(
    await startHealth(options, targets, {
      changed: (check) => {
        targets.changed();
        return link.report([{ type: 'check', check }]);
      },
      criticalTooLong: (serviceId) => node.deregisterService(serviceId),
    }),
  );
  const services = new LocalServices(registrations, new RunningChecks(registrations, health, warn), clock);
  targets.follow(services);
  services.takeConfiguration(config);
  await registrations.save();
  const onStop = (): 'keep' | 'stop' => stopOfBalancer(config, why);
  const parts = await startConsumers(
    options,
    (kind) => (receipt) => link.receipt({ ...receipt, kind }),
    onStop,
    (ask) => link.ask('slot', ask, { timeoutMs: ASK_PLACE_MS }),
  );
  questions.set('listener', () => ({ status: provisionsOf(parts.listener) }));
  const failed = (consumer: Consumer, error: unknown): void =>
    log.error({ node: config.name, consumer: consumer.kind }, messageOf(error));
  const consumers = stack.use(new Consumers(parts.all, failed));
  const node = new HostedNode({
    record: nodeRecordOf(config, options.datacenter, options.version),
    registrations,
    services,
    link,
    listener: parts.listener,
    balancerStatus: async () => (await parts.balancer?.status()) ?? null,
    ownInstances: options.ownInstances,
    clock,
    onChange: () => targets.changed(),
    warn: (what, error) => warn(`${what}: ${messageOf(error)}`),
  });
  await link.open(endsOf(node, consumers, parts, log));
  const running = stack.move();
  return {
    node,
    config,
    end(ending) {
      why = ending;
      return running.disposeAsync();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What a node says over its link, and who of it hears what comes. */
function endsOf(node: HostedNode, consumers: Consumers, { balancer, listener }: NodeConsumers, log: Log): LinkEnds {
  return {
    registration: () => node.registration(),
    onView: (view) => {
      node.takeView(view);
      consumers.offer(view);
    },
    onOrder: (order) => void obey(order, listener, log),
    onCut: (reason) => balancer?.markStale(reason),
  };
}

/** HAProxy outlives its agent if it is told to, always a restart of its node, and never a node that leaves. */
function stopOfBalancer({ balancer }: NodeConfig, why: Ending): 'keep' | 'stop' {
  if (why === 'stop') return balancer?.onStop ?? 'keep';
  return why === 'leave' ? 'stop' : 'keep';
}

interface HealthEvents {
  readonly changed: (check: CheckRecord) => Promise<unknown>;
  readonly criticalTooLong: (serviceId: string) => Promise<unknown>;
}

function startHealth(options: StartNodeOptions, targets: NodeTargets, events: HealthEvents): Promise<HealthChecks> {
  const { clock, random, timing, scripts, log, config } = options;
  const failed = (what: string) => (error: unknown) => {
    // A node that stops says nothing more, and need not.
    if ((error as DroverError).code !== agentStops.code)
      log.warn({ node: config.name }, `${what}: ${messageOf(error)}`);
  };
  return HealthChecks.start({
    clock,
    random,
    timing,
    targets,
    environment: process.env,
    scripts: scripts.remote ? 'allowed' : scripts.local ? 'local' : 'refused',
    onTransition: (check) => void events.changed(check).catch(failed('a check was not reported')),
    onCriticalTooLong: ({ serviceId }) =>
      void events.criticalTooLong(serviceId).catch(failed(`${serviceId} was not deregistered`)),
    onError: failed('a check'),
  });
}

const TOLD_RUNS = 5;

/** What a node says of its listener when it is asked. */
function provisionsOf(listener: NodeConsumers['listener']): NodeProvisions {
  if (listener === null) return { listener: null, provisions: [] };
  return { listener: listener.status(), provisions: listener.provisions().slice(0, TOLD_RUNS) };
}

async function obey(order: Order, listener: ListenerControl | null, log: Log): Promise<void> {
  if (listener === null) return;
  try {
    if (order.type === 'provision') await listener.provision(order);
    else if (order.enabled) await listener.on();
    else await listener.off();
  } catch (error) {
    log.error({ order: order.type }, messageOf(error));
  }
}
