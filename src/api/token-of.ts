import type { IncomingHttpHeaders } from 'node:http';

/** The secret of a request (consul-http-api 1.1): `?token=`, else `X-Consul-Token`, else a bearer; empty for none. */
export function tokenOf(parameter: string | null, headers: IncomingHttpHeaders): string {
  if (parameter !== null && parameter !== '') return parameter;
  const header = headers['x-consul-token'];
  if (typeof header === 'string' && header !== '') return header;
  return /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}
