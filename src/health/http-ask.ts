import type { CheckDefinition } from '../definition/index.ts';

/** One HTTP request of a check; redirects make further ones. */
export interface HttpAsk {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const KEEPING_METHOD = new Set([307, 308]);
/** Not sent on to another host. */
const PRIVATE_HEADER = /^host$|auth|cookie|token|secret|password|api-?key/i;
const BODY_HEADERS = new Set(['content-length', 'content-type', 'content-encoding', 'content-language']);

/** The first request of an HTTP check. */
export function firstAsk(definition: CheckDefinition): HttpAsk {
  const { http = '', method = 'GET', header = {}, body = '' } = definition;
  const given = Object.entries(header).map(([name, values]) => [name.toLowerCase(), [...values]] as const);
  const headers: Record<string, string | string[]> = {
    'user-agent': 'drover health check',
    accept: 'text/plain, text/*, */*',
    ...Object.fromEntries(given),
  };
  const host = headers['host'];
  if (typeof host === 'object') headers['host'] = host[0] ?? '';
  if (body !== '') headers['content-length'] = String(Buffer.byteLength(body));
  return { url: new URL(http), method: (method || 'GET').toUpperCase(), headers, body };
}

/** The request that a redirect asks for, as browsers and Go make it; null when the answer is none that can be followed. */
export function nextAsk(ask: HttpAsk, answer: { readonly status: number; readonly location?: string }): HttpAsk | null {
  const { status, location } = answer;
  if (!REDIRECTS.has(status) || location === undefined || !URL.canParse(location, ask.url)) return null;
  const url = new URL(location, ask.url);
  if (!/^https?:$/.test(url.protocol)) return null;
  const keep = KEEPING_METHOD.has(status) || ask.method === 'HEAD' || ask.method === 'GET';
  const dropped = (name: string): boolean =>
    (!keep && BODY_HEADERS.has(name)) || (url.host !== ask.url.host && PRIVATE_HEADER.test(name));
  const headers = Object.fromEntries(Object.entries(ask.headers).filter(([name]) => !dropped(name)));
  return keep ? { ...ask, url, headers } : { url, method: 'GET', headers, body: '' };
}

/** A URL as it may be shown: without its password. */
export function showUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.password === '') return text;
  url.password = 'xxxxx';
  return url.href;
}
