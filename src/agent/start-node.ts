import { messageOf } from '../lib/index.ts';
import type { ListenerControl } from '../api/index.ts';
import type { Consumer } from '../change/index.ts';
import { HealthChecks } from '../health/index.ts';
import type { Order } from '../link/index.ts';
import type { NodeConfig } from './config/config.ts';
import { Consumers } from './consumers.ts';
import { HostedNode } from './hosted-node.ts';
import { runCheck } from './local-checks.ts';
import type { Log } from './log.ts';
import { NodeLinkKeeper } from './node-link-keeper.ts';
import type { StartNodeOptions } from './node-options.ts';
import { nodeRecordOf } from './node-record.ts';
import { checkOfNode, checksOfService } from './registered-check.ts';
import { Registrations } from './registrations.ts';
import { startConsumers } from './start-consumers.ts';

/** A node that runs: the API's face of it, and how to end it. */
export interface StartedNode extends AsyncDisposable {
  readonly node: HostedNode;
}

/**
 * Starts one node: what is registered on it, its checks, then environment, balancer and listener, and last its link.
 * Resolves when the region has taken the node up. Whatever was started is stopped again when a later part fails.
 */
export async function startNode(options: StartNodeOptions): Promise<StartedNode> {
  await using stack = new AsyncDisposableStack();
  const { config, log } = options;
  const warn = (text: string): void => log.warn({ node: config.name }, text);
  const registrations = await Registrations.open(options.stateDirectory, warn);
  const link = stack.use(new NodeLinkKeeper({ ...options, node: config.name, warn }));
  const health = stack.use(await startHealth(options, link, (serviceId) => node.deregisterService(serviceId)));
  takeConfiguration(config, registrations, health);
  const parts = await startConsumers(options, (kind) => (receipt) => link.receipt({ ...receipt, kind }));
  const failed = (consumer: Consumer, error: unknown): void =>
    log.error({ node: config.name, consumer: consumer.kind }, messageOf(error));
  const consumers = stack.use(new Consumers(parts.all, failed));
  const node = new HostedNode({
    record: nodeRecordOf(config, options.datacenter, options.version),
    registrations,
    health,
    link,
    listener: parts.listener,
    balancerStatus: async () => (await parts.balancer?.status()) ?? null,
    ownInstances: options.ownInstances,
    clock: options.clock,
  });
  await link.open({
    registration: () => node.registration(),
    onView: (view) => consumers.offer(view),
    onOrder: (order) => void obey(order, parts.listener, log),
  });
  const running = stack.move();
  return { node, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function startHealth(
  { clock, random, timing, scripts, log, config }: StartNodeOptions,
  link: NodeLinkKeeper,
  deregister: (serviceId: string) => Promise<unknown>,
): Promise<HealthChecks> {
  const failed = (what: string) => (error: unknown) => log.warn({ node: config.name }, `${what}: ${messageOf(error)}`);
  return HealthChecks.start({
    clock,
    random,
    timing,
    environment: process.env,
    scripts: scripts.remote ? 'allowed' : scripts.local ? 'local' : 'refused',
    onTransition: (check) => void link.report([{ type: 'check', check }]).catch(failed('a check was not reported')),
    onCriticalTooLong: ({ serviceId }) => void deregister(serviceId).catch(failed(`${serviceId} was not deregistered`)),
    onError: failed('a check'),
  });
}

/** Configuration wins over what the API registered under the same ids. */
function takeConfiguration(config: NodeConfig, registrations: Registrations, health: HealthChecks): void {
  for (const { instance, checks } of config.services) {
    registrations.services.set(instance.id, { instance, source: 'config' });
    for (const check of checksOfService(instance, checks, 'config')) registrations.checks.set(check.id, check);
  }
  for (const { serviceId, definition } of config.checks) {
    const check = checkOfNode(serviceId, definition, 'config');
    registrations.checks.set(check.id, check);
  }
  for (const check of registrations.checks.values()) runCheck(health, registrations, check);
}

async function obey(order: Order, listener: ListenerControl | null, log: Log): Promise<void> {
  if (listener === null) return;
  try {
    if (order.type === 'provision') await listener.provision({ skipSettle: order.skipSettle });
    else if (order.enabled) await listener.on();
    else await listener.off();
  } catch (error) {
    log.error({ order: order.type }, messageOf(error));
  }
}
