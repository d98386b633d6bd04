import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../lib/index.ts';
import type { ServerEvent } from './route.ts';

/** A reader that hears nothing for longer may take the line for dead, and so may a proxy between. */
const HEARTBEAT_MS = 15_000;
/** How soon a reader that lost the line should be back. */
const RETRY_MS = 1_000;

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Proxies such as nginx would hold events back.
  'X-Accel-Buffering': 'no',
} as const;

export interface EventWriterOptions {
  readonly events: AsyncIterable<ServerEvent>;
  readonly response: ServerResponse;
  /** Aborted when the reader is gone. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * Writes server-sent events until they end or the reader is gone. A slow reader is waited for: what comes meanwhile waits
 * where the events come from, and when too much waits there it throws and the response ends, so that the reader comes back.
 *
 * @throws what the events throw
 */
export async function writeEvents({ events, response, signal, clock }: EventWriterOptions): Promise<void> {
  response.writeHead(200, HEADERS);
  response.write(`retry: ${RETRY_MS}\n\n`);
  const heartbeat = startHeartbeat(response, clock);
  try {
    for await (const event of events) {
      if (!response.write(textOf(event))) await drained(response, signal);
      if (signal.aborted) return;
    }
  } finally {
    heartbeat.cancel();
    response.end();
  }
}

function textOf({ id, event, data }: ServerEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function startHeartbeat(response: ServerResponse, clock: Clock): Timer {
  let timer: Timer;
  const arm = (): void => {
    timer = clock.after(HEARTBEAT_MS, () => {
      // A reader that takes nothing needs no sign of life.
      if (!response.writableNeedDrain) response.write(': ping\n\n');
      arm();
    });
  };
  arm();
  return { cancel: () => timer.cancel() };
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
