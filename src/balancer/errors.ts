import { defineError } from '../lib/index.ts';

/** HAProxy is not on this machine: the balancer is refused, the rest of the node goes on. */
export const haproxyMissing = defineError(
  'BALANCER_HAPROXY_MISSING',
  503,
  () => 'haproxy is not installed: apt-get install haproxy',
);

/** The configuration names a HAProxy that is not there or cannot be run: as with none. */
export const haproxyUnusable = defineError(
  'BALANCER_HAPROXY_UNUSABLE',
  503,
  (path: string) => `balancer.haproxy is ${path}, which is not there or cannot be run`,
);

/** `haproxy -c`, a start or a reload refused the configuration; what ran before still runs. */
export const configurationRefused = defineError(
  'BALANCER_CONFIGURATION_REFUSED',
  500,
  (message: string) => `haproxy refused its configuration: ${message}`,
  { hint: 'the last good configuration keeps running; the refused one is haproxy.refused.cfg beside it' },
);

/** The runtime socket took too long or is not there: HAProxy is stopped, overloaded or gone. */
export const haproxySilent = defineError(
  'BALANCER_HAPROXY_SILENT',
  503,
  (socket: string, why: string) => `haproxy does not answer on ${socket}: ${why}`,
);

/** HAProxy ended, or did not come up. */
export const haproxyEnded = defineError(
  'BALANCER_HAPROXY_ENDED',
  503,
  (message: string) => `haproxy does not run: ${message}`,
);

/** HAProxy answered, and yet its runtime shows something else than it was told. */
export const notTakenUp = defineError(
  'BALANCER_NOT_TAKEN_UP',
  503,
  (changes: string) => `haproxy did not take up: ${changes}`,
  { hint: 'it is reloaded with the members in its file' },
);
