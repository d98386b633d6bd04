import type { DroverClient } from '../../client/src/index.ts';
import type { ApiAnswer, WatchQuery } from '../event/index.ts';
import { usageError, watchFailed } from './errors.ts';
import type { Host } from './host.ts';
import { runChild } from './run-child.ts';

/** What `watch` is asked to do. */
export interface WatchOrder {
  /** Keys of one of `watches`, without a handler. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Runs with each result on its stdin; nothing: the result is printed once. */
  readonly command: readonly string[];
  /** The command is a line for the shell. */
  readonly shell: boolean;
  readonly client: DroverClient;
  readonly host: Host;
  readonly print: (value: unknown) => void;
  readonly say: (text: string) => void;
}

/** Prints what is watched, or runs a command now and whenever it changes, until a signal comes. @throws CLI_USAGE, CLI_WATCH_FAILED */
export async function runWatch(order: WatchOrder): Promise<number> {
  const { client, command, print } = order;
  const { contentOf } = await import('../event/index.ts');
  const query = await queryOf(order.given);
  // Also before a command: what cannot be asked at all is said at once and not tried for ever.
  const first = await client.ask(query.path);
  if (first.status !== 200 && first.status !== 404) throw watchFailed(query.title, first.status, first.body.trim());
  if (command.length > 0) return follow(order, query);
  print(contentOf(query.type, first));
  return 0;
}

async function queryOf(given: WatchOrder['given']): Promise<WatchQuery> {
  const { toQuery, WATCH_TYPES, watchQuerySchema } = await import('../event/index.ts');
  if (given['type'] === undefined)
    throw usageError.with({ hint: `give it with --type: ${WATCH_TYPES.join(', ')}` }, 'Watch type must be specified');
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { data, error } = watchQuerySchema.safeParse(known);
  if (data !== undefined) return toQuery(data);
  throw usageError(error.issues.map(({ message }) => message).join('; '));
}

async function follow({ client, command, shell, host, say }: WatchOrder, query: WatchQuery): Promise<number> {
  const { unsavedWatch, WatchLoop } = await import('../event/index.ts');
  const ended = Promise.withResolvers<void>();
  const offs = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => host.onSignal(name, () => ended.resolve()));
  // Whoever waits for nothing but blocking queries is kept alive by this.
  const alive = setInterval(() => undefined, 60_000);
  try {
    await using _loop = await WatchLoop.start({
      watch: { query, handler: NO_HANDLER, token: null },
      ask: (path, signal): Promise<ApiAnswer> => client.ask(path, signal),
      // As Consul: a command begins with all there is.
      saved: unsavedWatch({ hash: null, cursor: 0 }),
      async runHandler(_handler, call, signal) {
        const options = { words: command, shell, environment: host.environment, clock: host.clock, signal };
        const result = await runChild(call, options);
        if (!result.ok && !signal.aborted) say(`the command failed: ${result.ending}`);
        return { ...result, ok: true };
      },
      clock: host.clock,
      log: { info: () => undefined, warn: (_fields, text) => say(text) },
    });
    await ended.promise;
    return 0;
  } finally {
    clearInterval(alive);
    for (const off of offs) off();
  }
}

const NO_HANDLER = { type: 'script', args: [], shell: null, cwd: '/', timeoutMs: 0 } as const;
