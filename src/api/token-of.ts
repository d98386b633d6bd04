import type { IncomingHttpHeaders } from 'node:http';
import { Query } from './v1/query.ts';

/** The secret of a request whose URL was not read yet; empty for none. */
export function tokenIn(url: string, headers: IncomingHttpHeaders): string {
  const mark = url.indexOf('?');
  return tokenOf(mark < 0 ? null : tokenParameter(url.slice(mark + 1)), headers);
}

/** The secret of a request (consul-http-api 1.1): `?token=`, else `X-Consul-Token`, else a bearer; empty for none. */
export function tokenOf(parameter: string | null, headers: IncomingHttpHeaders): string {
  if (parameter !== null && parameter !== '') return parameter;
  const header = headers['x-consul-token'];
  if (typeof header === 'string' && header !== '') return header;
  return /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

function tokenParameter(query: string): string | null {
  // Its name may be written in escapes.
  return query.includes('token') || query.includes('%') ? Query.parse(query).get('token') : null;
}
