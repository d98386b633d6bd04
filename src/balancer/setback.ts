import { messageOf } from '../lib/index.ts';
import { configurationRefused, haproxyEnded, haproxyMissing, haproxySilent, haproxyUnusable } from './errors.ts';

/** What a failed attempt means for the receipt. */
export interface Setback {
  /** `late`: no word yet; HAProxy is there and does not answer. */
  readonly outcome: 'late' | 'refused' | 'failed';
  readonly reason: string;
  readonly retryInMs: number;
}

const SILENT_RETRY_MS = 200;
const FAILED_RETRY_MS = 2_000;
const MISSING_RETRY_MS = 5_000;
const REFUSED_RETRY_MS = 30_000;

/** Judges an error of an attempt to apply a view. `waitMs`: how long until HAProxy may be started again. */
export function judgeSetback(error: unknown, state: { readonly isRunning: boolean; readonly waitMs: number }): Setback {
  const reason = messageOf(error);
  switch ((error as { code?: unknown }).code) {
    case haproxySilent.code:
      return state.isRunning
        ? { outcome: 'late', reason, retryInMs: SILENT_RETRY_MS }
        : { outcome: 'failed', reason, retryInMs: Math.max(SILENT_RETRY_MS, state.waitMs) };
    case haproxyEnded.code:
      return { outcome: 'failed', reason, retryInMs: Math.max(SILENT_RETRY_MS, state.waitMs) };
    case haproxyMissing.code:
    case haproxyUnusable.code:
      return { outcome: 'refused', reason, retryInMs: MISSING_RETRY_MS };
    case configurationRefused.code:
      return { outcome: 'refused', reason, retryInMs: REFUSED_RETRY_MS };
    default:
      return { outcome: 'failed', reason, retryInMs: FAILED_RETRY_MS };
  }
}
