import { isIPv6 } from 'node:net';
import { badServerName } from '../errors.ts';

const DEFAULT_PORT = 8500;

/**
 * Where a server answers, as an operator names it for `--join`: `HOST`, `HOST:PORT` or a URL. Gives its origin, such as
 * `http://10.0.0.1:8500`.
 *
 * @throws AGENT_SERVER_NAME
 */
export function serverUrl(text: string): string {
  const trimmed = text.trim();
  const isUrl = /^https?:\/\//i.test(trimmed);
  const host = isIPv6(trimmed) ? `[${trimmed}]` : trimmed;
  const url = URL.parse(isUrl ? trimmed : `http://${host}`);
  if (trimmed === '' || url === null || url.hostname === '' || url.pathname !== '/' || url.username !== '')
    throw badServerName(text);
  const hasPort = /:\d+\/?$/.test(isUrl ? trimmed : host);
  return hasPort || isUrl ? url.origin : `${url.origin}:${DEFAULT_PORT}`;
}
