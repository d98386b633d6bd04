import type { CheckDefinition } from '../definition/index.ts';
import { OutputTail } from '../lib/index.ts';

/** A check's output is at most this long unless its definition says less (Consul's BufSize). */
export const MAX_OUTPUT_BYTES = 4_096;

/** How much output a check may have, in bytes: what its definition says, and never more than Consul's limit. */
export function outputLimitOf({ outputMaxSize = MAX_OUTPUT_BYTES }: CheckDefinition): number {
  return Math.min(Math.max(1, outputMaxSize), MAX_OUTPUT_BYTES);
}

/** What one run of a check found. */
export interface Verdict {
  /** null: the agent itself could not look (no memory, no file descriptor, no port left): it says nothing of the service. */
  readonly status: 'passing' | 'warning' | 'critical' | null;
  readonly output: string;
  /** The next run waits for this, such as a process that the kernel has not let go. */
  readonly gone?: Promise<void>;
}

/** One way of finding out: never rejects, ends within its time limit, ends at once when aborted. */
export type Probe = (signal: AbortSignal) => Promise<Verdict>;

/** The output with its end kept within `maxBytes`, and Consul's line in front that says what was cut. */
export function boundOutput(text: string, maxBytes = MAX_OUTPUT_BYTES, totalBytes = Buffer.byteLength(text)): string {
  if (totalBytes <= maxBytes && Buffer.byteLength(text) <= maxBytes) return text;
  const tail = new OutputTail(maxBytes);
  tail.push(Buffer.from(text));
  const head = `Captured ${maxBytes} of ${totalBytes} bytes\n...\n`;
  return maxBytes > 2 * head.length ? head + tail.text(maxBytes - head.length) : tail.text();
}

/** What drover says of a run, whole, and then what fits of the output. */
export function headed(head: string, text: string, maxBytes: number): string {
  return head + boundOutput(text, Math.max(0, maxBytes - Buffer.byteLength(head)));
}

const OUT_OF_RESOURCES = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN', 'EADDRNOTAVAIL']);

/** True for failures that are the agent's own lack, not the service's. */
export function isOwnFailure(error: unknown): boolean {
  return OUT_OF_RESOURCES.has((error as NodeJS.ErrnoException | null)?.code ?? '');
}

/** The text of a network error; Node's error for several tried addresses has none of its own. */
export function describeNetworkError(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(describeNetworkError))].join('; ');
  return error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code || error.name : String(error);
}
