import type { IncomingHttpHeaders } from 'node:http';

/** The secret of a request whose URL was not read yet; empty for none. */
export function tokenIn(url: string, headers: IncomingHttpHeaders): string {
  const mark = url.indexOf('?');
  const parameter = mark < 0 || !url.includes('token') ? null : new URLSearchParams(url.slice(mark + 1)).get('token');
  return tokenOf(parameter, headers);
}

/** The secret of a request (consul-http-api 1.1): `?token=`, else `X-Consul-Token`, else a bearer; empty for none. */
export function tokenOf(parameter: string | null, headers: IncomingHttpHeaders): string {
  if (parameter !== null && parameter !== '') return parameter;
  const header = headers['x-consul-token'];
  if (typeof header === 'string' && header !== '') return header;
  return /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}
