import path from 'node:path';
import { LocalBalancer } from '../balancer/index.ts';
import type { Consumer, ConsumerKind, SendReceipt } from '../change/index.ts';
import { EnvironmentFiles } from '../environment/index.ts';
import { foreignLocksOf, Listener, Place, type PlaceOptions } from '../listener/index.ts';
import { ownerOf } from './owner.ts';
import type { StartNodeOptions } from './node-options.ts';

/** A node's consumers, and those of them that the API speaks to. */
export interface NodeConsumers {
  readonly all: readonly Consumer[];
  readonly balancer: LocalBalancer | null;
  readonly listener: Listener | null;
}

/**
 * Starts a node's consumers in the order in which they take up a view (design 6). When one cannot start, those before it
 * are stopped.
 */
export async function startConsumers(
  options: StartNodeOptions,
  send: (kind: ConsumerKind) => SendReceipt,
  onStop: () => 'keep' | 'stop',
  askPlace: PlaceOptions['ask'],
): Promise<NodeConsumers> {
  await using stack = new AsyncDisposableStack();
  const environment = stack.use(await startEnvironment(options, send('environment')));
  const balancer = stack.use(await startBalancer(options, send('balancer'), onStop));
  const listener = stack.use(await startListener(options, send('listener'), askPlace));
  const all = [environment, balancer, listener].filter((consumer) => consumer !== null);
  stack.move();
  return { all, balancer, listener };
}

async function startEnvironment(options: StartNodeOptions, receipt: SendReceipt): Promise<EnvironmentFiles | null> {
  const { config, clock, log, stateDirectory } = options;
  if (config.environment === null) return null;
  const owner = await ownerOf(config.environment.owner);
  return EnvironmentFiles.start({
    directory: config.environment.directory,
    stateDirectory,
    mode: config.environment.mode,
    ...(owner === null ? {} : { owner }),
    receipt,
    clock,
    log: (text) => log.warn({ node: config.name }, text),
  });
}

async function startBalancer(
  options: StartNodeOptions,
  receipt: SendReceipt,
  onStop: () => 'keep' | 'stop',
): Promise<LocalBalancer | null> {
  const { config, clock, timing, log, stateDirectory } = options;
  if (config.balancer === null) return null;
  return LocalBalancer.start({
    node: config.name,
    stateDirectory,
    ...(config.balancer.haproxy === null ? {} : { haproxy: config.balancer.haproxy }),
    clock,
    timing,
    receipt,
    log,
    // Asked when it stops: whether the node leaves or its agent restarts is known only then.
    get onStop() {
      return onStop();
    },
  });
}

async function startListener(
  options: StartNodeOptions,
  receipt: SendReceipt,
  askPlace: PlaceOptions['ask'],
): Promise<Listener | null> {
  const { config, clock, timing, log, stateDirectory } = options;
  if (config.provision === null) return null;
  const { command, kind, timeLimitMs, lockFile, cwd, group, atMost: most } = config.provision;
  const debug = (text: string): void => log.debug({ node: config.name }, text);
  const place =
    group === null ? {} : { place: new Place({ group, most, limitMs: timeLimitMs, ask: askPlace, clock, log: debug }) };
  return Listener.start({
    ...place,
    node: config.name,
    stateDirectory: path.join(stateDirectory, 'listener'),
    command,
    kind,
    timeLimitMs,
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', HOME: process.env['HOME'] ?? '/' },
    cwd,
    timing,
    clock,
    receipt,
    locks: foreignLocksOf(kind, lockFile),
    log: (text) => log.info({ node: config.name }, text),
  });
}
