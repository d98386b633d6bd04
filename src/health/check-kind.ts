import type { CheckDefinition } from '../definition/index.ts';
import { invalidCheck } from './errors.ts';

/** How a check finds out; the words are Consul's check types. */
export type CheckKind = 'script' | 'http' | 'tcp' | 'ttl';

/**
 * The kind of a check, from which of its fields is set.
 *
 * @throws HEALTH_INVALID_CHECK when it has none or several, or its target or time cannot be.
 */
export function checkKind(definition: CheckDefinition): CheckKind {
  const kinds = kindsOf(definition);
  const [kind] = kinds;
  if (kind === undefined) throw invalidCheck('it says neither args, script, http, tcp nor ttl');
  if (kinds.length > 1) throw invalidCheck(`it is several at once: ${kinds.join(', ')}`);
  const wrong = PROBLEMS[kind](definition);
  if (wrong !== null) throw invalidCheck(wrong);
  return kind;
}

/** Host and port of `host:port` or `[v6]:port`; null when it is neither. */
export function splitHostPort(address: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(address);
  if (match === null) return null;
  const port = Number(match[3]);
  // Go dials the local host when the host is left out.
  return port > 0 && port < 65_536 ? { host: match[1] ?? (match[2] || 'localhost'), port } : null;
}

function kindsOf(definition: CheckDefinition): CheckKind[] {
  const found: CheckKind[] = [];
  if ((definition.args?.length ?? 0) > 0 || definition.script !== undefined) found.push('script');
  if (definition.http !== undefined) found.push('http');
  if (definition.tcp !== undefined) found.push('tcp');
  if (definition.ttlMs !== undefined) found.push('ttl');
  return found;
}

const PROBLEMS: Readonly<Record<CheckKind, (definition: CheckDefinition) => string | null>> = {
  script: ({ args, script }) => {
    if (args !== undefined && script !== undefined) return 'it has both args and script';
    return script === '' || args?.[0] === '' ? 'its script is empty' : null;
  },
  http: ({ http = '' }) => (isHttpUrl(http) ? null : `${JSON.stringify(http)} is not an http or https URL`),
  tcp: ({ tcp = '' }) => (splitHostPort(tcp) === null ? `${JSON.stringify(tcp)} is not host:port` : null),
  ttl: ({ ttlMs = 0 }) => (ttlMs > 0 ? null : 'TTL must be > 0 for TTL checks'),
};

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
