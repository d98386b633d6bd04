import { isIPv6 } from 'node:net';
import type { Definition } from '../definition/index.ts';
import { renderTemplate } from '../definition/index.ts';
import type { CatalogNode } from './catalog-reader.ts';
import { addressOf, portOf } from './resolve-scope.ts';
import type { Candidate, ResolveScope } from './resolve-scope.ts';

/** What a provided template is filled from; null = not known here, and then the whole value is not. */
interface Builtins {
  readonly host: string;
  readonly port: number | null;
  readonly id: string;
  readonly node: string;
  readonly region: string;
  readonly meta: Readonly<Record<string, string>>;
}

/**
 * The value of a provided name as an instance gives it; null when the template asks for something that this instance
 * does not have (a meta key, a port): it then cannot be chosen for the name.
 */
export function directValue(scope: ResolveScope, definition: Definition, name: string, from: Candidate): string | null {
  const { instance } = from;
  return render(scope, definition, name, {
    host: addressOf(instance),
    port: portOf(definition, instance.record.port),
    id: instance.record.id,
    node: instance.node.record.name,
    region: scope.catalog.region,
    meta: { ...definition.meta, ...instance.record.meta },
  });
}

/**
 * The value of a provided name behind the node's balancer. It depends on no instance (semantics 2.3): `{ID}` is the
 * service's id, `{NODE}` the consumer's node, whose balancer it is, and `{META.key}` the definition's own.
 */
export function balancedValue(
  scope: ResolveScope,
  definition: Definition,
  name: string,
  node: CatalogNode,
): string | null {
  return render(scope, definition, name, {
    host: node.record.balancer?.address ?? '127.0.0.1',
    port: definition.localPort,
    id: definition.id,
    node: node.record.name,
    region: scope.catalog.region,
    meta: definition.meta,
  });
}

function render(scope: ResolveScope, definition: Definition, name: string, builtins: Builtins): string | null {
  const text = ownEntry(definition.provides, name);
  if (text === undefined) return null;
  const template = scope.template(text);
  if (template === null) return null;
  return renderTemplate(template, (key) => lookUp(key, text, definition, builtins)) ?? null;
}

function lookUp(key: string, text: string, definition: Definition, builtins: Builtins): string | undefined {
  const builtin = key.toUpperCase();
  if (builtin.startsWith('META.')) return ownEntry(builtins.meta, key.slice('META.'.length));
  switch (builtin) {
    case 'HOST':
      return hostIn(text, builtins.host);
    case 'PORT':
      return builtins.port?.toString();
    case 'ID':
      return builtins.id;
    case 'NODE':
      return builtins.node;
    case 'REGION':
      return builtins.region;
    default:
      return ownEntry(definition.environment, key);
  }
}

/** RFC 3986 3.2.2: an IPv6 host stands in brackets in a URL, and before a port. */
function hostIn(template: string, host: string): string {
  return isIPv6(host) && /:\/\/|\{host\}:/i.test(template) ? `[${host}]` : host;
}

/** Names come from definitions: one may be `constructor`. */
function ownEntry(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
