import type { CheckDefinition } from './definition.ts';

const INTERVAL_MS = 10_000;
const TIMEOUT_MS = 5_000;

/** The check that an http provider gets which names none (P24). */
export const defaultCheck: CheckDefinition = Object.freeze({
  name: 'TCP connect',
  tcp: '{HOST}:{PORT}',
  intervalMs: INTERVAL_MS,
  timeoutMs: TIMEOUT_MS,
});

/** The check behind `status: /path`. */
export function statusCheck(path: string): CheckDefinition {
  return Object.freeze({
    name: `HTTP ${path.replaceAll(/[{}]/g, '')}`,
    http: `http://{HOST}:{PORT}${path}`,
    intervalMs: INTERVAL_MS,
    timeoutMs: TIMEOUT_MS,
  });
}
