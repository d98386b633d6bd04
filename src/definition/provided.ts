import { builtinOf } from './builtin.ts';
import type { CheckDefinition, Definition } from './definition.ts';
import { parseTemplate, renderTemplate } from './template.ts';

/** What an instance lends to the templates of its definition. */
export interface InstanceFacts {
  /** Address by which it is reached: its own, else its node's; for a balanced value the balancer's. */
  readonly host: string;
  /** 0 = it has none of its own. */
  readonly port: number;
  readonly id: string;
  readonly node: string;
  readonly region: string;
  readonly meta: Readonly<Record<string, string>>;
}

/**
 * The value of a name that the definition provides, for one instance (semantics 1). Undefined when the definition does not provide the
 * name, or something in its template is not known: a port that nobody sets, a meta key the instance lacks.
 *
 * @example
 * renderProvided(api, 'API_URL', { host: '127.0.0.1', port: 1100, id: 'api', node: 'n1', region: 'aws', meta: {} }); // http://127.0.0.1:1100
 */
export function renderProvided(definition: Definition, name: string, instance: InstanceFacts): string | undefined {
  const text = Object.hasOwn(definition.provides, name) ? definition.provides[name] : undefined;
  if (text === undefined) return undefined;
  const value = (wanted: string): string | undefined => factOf(definition, instance, wanted);
  return renderTemplate({ parts: bracketedHosts(parseTemplate(text).parts, instance.host) }, value);
}

/** `{PORT}`: the instance's port, else `environment.PORT`, else `local_port`; undefined when nothing says. */
export function portOf(definition: Definition, instancePort: number): number | undefined {
  if (instancePort > 0) return instancePort;
  const own = Number(definition.environment['PORT'] ?? Number.NaN);
  if (Number.isInteger(own) && own > 0 && own <= 65_535) return own;
  return definition.localPort ?? undefined;
}

function factOf(definition: Definition, instance: InstanceFacts, name: string): string | undefined {
  const builtin = builtinOf(name);
  if (builtin === undefined)
    return Object.hasOwn(definition.environment, name) ? definition.environment[name] : undefined;
  if (typeof builtin === 'object') return metaOf(definition, instance, builtin.meta);
  if (builtin === 'HOST') return instance.host;
  if (builtin === 'PORT') return portOf(definition, instance.port)?.toString();
  return { ID: instance.id, NODE: instance.node, REGION: instance.region }[builtin];
}

function metaOf(definition: Definition, instance: InstanceFacts, key: string): string | undefined {
  for (const meta of [instance.meta, definition.meta]) if (Object.hasOwn(meta, key)) return meta[key];
  return undefined;
}

type Part = ReturnType<typeof parseTemplate>['parts'][number];

/** An IPv6 host stands in brackets where a URL or `host:port` has it (RFC 3986 3.2.2), and bare elsewhere (`host={HOST}`). */
function bracketedHosts(parts: readonly Part[], host: string): Part[] {
  if (!host.includes(':') || host.startsWith('[')) return [...parts];
  return parts.flatMap((part, index) => {
    const isHost = part.kind === 'name' && builtinOf(part.name) === 'HOST';
    if (!isHost || !standsInAuthority(parts[index - 1], parts[index + 1])) return [part];
    return [{ kind: 'text' as const, text: `[${host}]` }];
  });
}

function standsInAuthority(before: Part | undefined, after: Part | undefined): boolean {
  const precedes = before?.kind === 'text' ? before.text : '';
  const follows = after?.kind === 'text' ? after.text : '';
  if (precedes.endsWith('[')) return false;
  return /\/\/(?:[^/\s]*[@,])?$/.test(precedes) || follows.startsWith(':');
}

/**
 * A definition's check for one instance: `{HOST}`, `{PORT}` and the other built-ins are filled in where a check says what to reach; other braces
 * (shell, JSON) are left alone. Undefined when a built-in it uses has no value for this instance.
 */
export function renderCheck(
  check: CheckDefinition,
  definition: Definition,
  instance: InstanceFacts,
): CheckDefinition | undefined {
  const said = TARGETS.filter((key) => check[key] !== undefined);
  const texts = [...said.map((key) => check[key] as string), ...(check.args ?? [])];
  const filled = new Map(texts.map((text) => [text, fillBuiltins(text, definition, instance)]));
  if ([...filled.values()].includes(undefined)) return undefined;
  const fill = (text: string): string => filled.get(text) as string;
  return Object.freeze({
    ...check,
    ...Object.fromEntries(said.map((key) => [key, fill(check[key] as string)])),
    ...(check.args === undefined ? {} : { args: Object.freeze(check.args.map(fill)) }),
  });
}

/** Where a check says what to reach. */
const TARGETS = [
  'http',
  'tcp',
  'udp',
  'grpc',
  'h2ping',
  'script',
  'dockerContainerId',
  'osService',
  'aliasService',
  'aliasNode',
] as const satisfies readonly (keyof CheckDefinition)[];

/** The checks that an instance of the definition gets when its registration names none (P24). */
export function checksFor(definition: Definition, instance: InstanceFacts): readonly CheckDefinition[] {
  return definition.checks
    .map((check) => renderCheck(check, definition, instance))
    .filter((check) => check !== undefined);
}

function fillBuiltins(text: string, definition: Definition, instance: InstanceFacts): string | undefined {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(/\{([A-Za-z_][\w.-]*)\}/g)) {
    const name = match[1] as string;
    if (builtinOf(name) === undefined) continue;
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) });
    parts.push({ kind: 'name', name });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) });
  return renderTemplate({ parts: bracketedHosts(parts, instance.host) }, (name) => factOf(definition, instance, name));
}
