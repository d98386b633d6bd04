import type { DroverClient, WireEnvironment, WireEvent } from '../../client/src/index.ts';
import type { Clock } from '../lib/index.ts';

const RETRY_MS = 1_000;
/** A burst of changes is asked about once. */
const SETTLE_MS = 100;

export interface FollowOptions {
  readonly client: Pick<DroverClient, 'environment' | 'events'>;
  readonly service: string;
  readonly node: { readonly node?: string };
  /** What there was at the start. */
  readonly first: WireEnvironment;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * The environment at the start, and again whenever something changed, until the signal is aborted. While no agent answers,
 * or it refuses, nothing comes: what is known stays as it is, and the first answer afterwards tells what changed meanwhile.
 */
export async function* environmentUpdates(options: FollowOptions): AsyncGenerator<WireEnvironment, void> {
  const { client, service, node, first, clock, signal } = options;
  yield first;
  let after = first.revision;
  while (!signal.aborted) {
    try {
      for await (const revision of changes(client.events({ after }, signal), clock)) {
        yield await client.environment(service, { ...node, reveal: true });
        after = Math.max(after, revision);
      }
    } catch {
      // The agent is away, or the service was removed and may come back: only a person ends what runs.
    }
    await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    const found = signal.aborted
      ? null
      : await client.environment(service, { ...node, reveal: true }).catch(() => null);
    if (found !== null) yield found;
  }
}

/** Where a reader goes on, once for each burst of changes: the first waits a moment for the others. */
async function* changes(events: AsyncIterable<WireEvent>, clock: Clock): AsyncGenerator<number, void> {
  let newest: number | null = null;
  let wake = Promise.withResolvers<void>();
  const over = (async () => {
    for await (const { type, id } of events) {
      if (type !== 'change' && type !== 'gap') continue;
      newest = id;
      wake.resolve();
    }
  })();
  const isOver = over.then(
    () => true,
    () => true,
  );
  for (;;) {
    const ended = await Promise.race([wake.promise.then(() => false), isOver]);
    if (!ended) await clock.sleep(SETTLE_MS);
    wake = Promise.withResolvers();
    if (newest !== null) yield newest;
    newest = null;
    // What ended the stream is told by what asks next.
    if (ended) return;
  }
}
