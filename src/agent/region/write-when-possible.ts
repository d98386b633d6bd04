import { messageOf, type Clock } from '../../lib/index.ts';
import { isWriteless } from '../../registry/index.ts';

/** How it is tried again. */
export interface WriteWhenPossibleOptions {
  readonly clock: Clock;
  /** Told why it could not be written at first. */
  readonly warn: (text: string) => void;
  readonly retryMs?: number;
}

const RETRY_MS = 1_000;

/**
 * Writes what a server's start wants written; where the store takes no writes the start goes on, and it is written when the store does.
 * Resolves with what ends that.
 *
 * @throws what `write` throws at first, unless the store takes no writes
 */
export async function writeWhenPossible(
  write: () => Promise<unknown>,
  { clock, warn, retryMs = RETRY_MS }: WriteWhenPossibleOptions,
): Promise<() => void> {
  const stopped = new AbortController();
  try {
    await write();
  } catch (error) {
    if (!isWriteless(error)) throw error;
    warn(`${messageOf(error)}: what the start wants written is written later`);
    void goOn(write, clock, retryMs, stopped.signal, warn);
  }
  return () => stopped.abort();
}

/** Never rejects. */
async function goOn(
  write: () => Promise<unknown>,
  clock: Clock,
  retryMs: number,
  signal: AbortSignal,
  warn: (text: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(retryMs, signal);
      return void (await write());
    } catch (error) {
      if (!signal.aborted && !isWriteless(error)) return warn(messageOf(error));
    }
  }
}
