import { z } from 'zod';
import { parseDuration } from '../lib/index.ts';
import { squeeze } from './placed-value.ts';

/** Consul's numbers on the wire are nanoseconds. */
const NS_PER_MS = 1_000_000;

/** Whether a value is a duration: text in Go's notation, or whole nanoseconds from 0. */
export function isDuration(value: string | number): boolean {
  if (typeof value === 'number') return value >= 0;
  try {
    return parseDuration(value) >= 0;
  } catch {
    return false;
  }
}

/** A duration, text or nanoseconds, in ms. */
export function toMs(value: string | number): number {
  return typeof value === 'number' ? value / NS_PER_MS : parseDuration(value);
}
const duration = z
  .union([z.string(), z.number().int()], { error: 'expected a duration such as "10s"' })
  .refine((value) => isDuration(value), { error: 'expected a duration such as "10s", "1m30s" or "250ms"' });
const count = z.number({ error: 'expected a whole number from 0' }).int().min(0);
const text = z.string({ error: 'expected text' });
const flag = z.boolean({ error: 'expected true or false' });

/** Every key of a check, each with its form and meaning: the manual and the editors' schema come from here. */
export const CHECK_FIELDS = {
  id: text.describe('Id of the check; default `service:<instance id>`, numbered when there are several.').optional(),
  name: text.describe("Name for people; default `Service '<name>' check`.").optional(),
  service_id: text.describe('Id of the instance that a check outside a service belongs to.').optional(),
  notes: text.describe('Free text for people.').optional(),
  http: text.describe('URL to get: 2xx is passing, 429 warning, all else critical.').optional(),
  method: text.describe('HTTP method; default GET.').optional(),
  header: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]), {
      error: 'expected a map of header to value or list of values',
    })
    .describe('HTTP headers: name to value or list of values.')
    .optional(),
  body: text.describe('HTTP body.').optional(),
  tls_skip_verify: flag.describe('Takes any certificate.').optional(),
  tls_server_name: text.describe('Name asked for in TLS; default the host.').optional(),
  disable_redirects: flag.describe('Takes a redirect as the answer.').optional(),
  tcp: text.describe('`host:port` to connect to: connected is passing.').optional(),
  tcp_use_tls: flag.describe('With `tcp`: passing when the TLS handshake succeeds.').optional(),
  udp: text
    .describe(
      '`host:port` to send an empty datagram to: refused is critical; an answer, or none within `timeout`, is passing.',
    )
    .optional(),
  grpc: text
    .describe(
      '`host:port` or `host:port/service` to ask by the gRPC health protocol: SERVING is passing, all else critical.',
    )
    .optional(),
  grpc_use_tls: flag.describe('With `grpc`: over TLS; default false.').optional(),
  h2ping: text.describe('`host:port` to send an HTTP/2 PING to: an answer is passing.').optional(),
  h2ping_use_tls: flag.describe('With `h2ping`: over TLS; default true.').optional(),
  docker_container_id: text
    .describe('Container in which `args`, or `script` by `shell`, is run; exit status as with `args`.')
    .optional(),
  shell: text
    .describe('With `docker_container_id` and `script`: the shell of the container; default `/bin/sh`.')
    .optional(),
  os_service: text.describe('Unit of systemd: active is passing, all else critical.').optional(),
  alias_service: text
    .describe('Id of an instance whose health this is: the worst of its own and its node’s checks.')
    .optional(),
  alias_node: text
    .describe('Node of `alias_service`, default the own one; alone: the worst of that node’s own checks.')
    .optional(),
  ttl: duration.describe('The service reports itself at least this often; else critical.').optional(),
  args: z
    .array(text, { error: 'expected a list of texts' })
    .min(1, { error: 'expected the program and its arguments' })
    .describe('Program and arguments: exit status 0 is passing, 1 warning, all else critical.')
    .optional(),
  script: text.describe('A shell line, run by `/bin/sh -c`; exit status as with `args`.').optional(),
  interval: duration.describe('Time between two runs.').optional(),
  timeout: duration.describe('Time one run may take; default 10 s, scripts 30 s.').optional(),
  status: z
    .enum(['passing', 'warning', 'critical'], { error: 'expected "passing", "warning" or "critical"' })
    .describe('Status until the first result.')
    .optional(),
  success_before_passing: count.describe('Good results in a row before it is passing again.').optional(),
  failures_before_warning: count.describe('Bad results in a row before it is warning.').optional(),
  failures_before_critical: count.describe('Bad results in a row before it is critical.').optional(),
  deregister_critical_service_after: duration
    .describe('Removes the instance after it was critical for so long.')
    .optional(),
  output_max_size: z
    .number({ error: 'expected a number of bytes above 0' })
    .int()
    .min(1)
    .describe('Bytes of output that are kept; at most 4096, whatever is asked for.')
    .optional(),
  token: text.describe('Accepted as Consul has it; the ACL of the agent applies.').optional(),
} as const;

/** Consul's other names for a field, squeezed as `squeeze` does. */
const ALIASES: Readonly<Record<string, keyof typeof CHECK_FIELDS>> = { checkid: 'id', scriptargs: 'args' };

const bySqueezed: ReadonlyMap<string, keyof typeof CHECK_FIELDS> = new Map([
  ...Object.keys(CHECK_FIELDS).map((key) => [squeeze(key), key as keyof typeof CHECK_FIELDS] as const),
  ...Object.entries(ALIASES),
]);

/** The name of a field from any of its spellings (`TLSSkipVerify`, `tls_skip_verify`); undefined for what is none. */
export function checkField(key: string): keyof typeof CHECK_FIELDS | undefined {
  return bySqueezed.get(squeeze(key));
}
