import { type CheckInput, toCheck } from './check-schema.ts';
import { consistencyProblems } from './consistency.ts';
import { defaultCheck, statusCheck } from './default-check.ts';
import type { CheckDefinition, Definition } from './definition.ts';
import type { Document } from './document.ts';
import { deepFreeze, withoutUndefined } from './plain.ts';
import { throwAll } from './problems.ts';
import { type ServiceInput, serviceSchema } from './schema.ts';
import { type Placed, unplaced, validateDocument } from './validate.ts';

/** A definition with what an operator should know about it. */
export interface ParsedDefinition {
  readonly definition: Definition;
  readonly warnings: readonly string[];
}

/**
 * The definition of a value in the form of a service file (an HTTP body); defaults filled in, frozen.
 *
 * @throws DEFINITION_INVALID, DEFINITION_UNKNOWN_KEY with the key's path
 */
export function parseDefinition(value: unknown): Definition {
  return parsePlaced(unplaced(value), () => undefined).definition;
}

/**
 * The definition of a document that `readDocument` read. Numbers in `environment` and `meta` become text as they are written.
 *
 * @throws DEFINITION_INVALID, DEFINITION_UNKNOWN_KEY with file, line, column and excerpt
 */
export function readDefinition(document: Document): ParsedDefinition {
  return parsePlaced(document, (key, name) => document.writtenAt([key, name]));
}

type Written = (key: string, name: string) => string | undefined;

function parsePlaced(document: Placed, written: Written): ParsedDefinition {
  const input = validateDocument(document, serviceSchema);
  const { errors, warnings } = consistencyProblems(document, input);
  if (errors.length > 0) throwAll(errors);
  const definition = toDefinition(input, written);
  const missingCheck = definition.checks.length > 0 && input.checks === undefined && input.status === undefined;
  const note = `${input.id} says neither "checks" nor "status": its instances get a TCP check; add "status": "/path"`;
  return { definition, warnings: missingCheck ? [...warnings, note] : warnings };
}

function toDefinition(input: ServiceInput, written: Written): Definition {
  const provides = input.provides ?? {};
  const protocol = input.protocol ?? (speaksHttp(provides) ? 'http' : 'tcp');
  const { requires, requiresServices } = splitRequires(input.requires);
  const runList = input.run_list ?? [];
  return deepFreeze({
    id: input.id,
    federation: input.federation ?? 'default',
    command: input.command ?? runList.length > 0,
    runList,
    environment: texts('environment', input.environment, written),
    requires,
    requiresServices,
    provides,
    localPort: input.local_port ?? null,
    protocol,
    bind: input.bind ?? 'any',
    panic: input.panic ?? 'empty',
    public: input.public ?? false,
    hosts: input.hosts ?? [],
    shared: input.shared ?? false,
    checks: checksOf(input, protocol),
    meta: texts('meta', input.meta, written),
    incarnation: input.incarnation ?? null,
    extra: withoutUndefined({ run: input.run, regions: input.regions }),
  });
}

function texts(key: string, values: ServiceInput['meta'], written: Written): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : (written(key, name) ?? String(value)),
    ]),
  );
}

function speaksHttp(provides: Readonly<Record<string, string>>): boolean {
  return Object.values(provides).some((template) => /^https?:\/\//i.test(template));
}

function splitRequires(requires: ServiceInput['requires']): Pick<Definition, 'requires' | 'requiresServices'> {
  if (requires === undefined) return { requires: {}, requiresServices: [] };
  if (!Array.isArray(requires)) return { requires: requires as Record<string, string>, requiresServices: [] };
  const services = requires.filter((entry) => typeof entry === 'string');
  const maps = requires.filter((entry) => typeof entry !== 'string');
  return { requires: Object.assign({}, ...maps) as Record<string, string>, requiresServices: [...new Set(services)] };
}

/** Its own checks, its status path, or for an http provider without either a TCP check (P24). */
function checksOf(input: ServiceInput, protocol: Definition['protocol']): CheckDefinition[] {
  const own = (input.checks ?? []).map((check) => toCheck(check as CheckInput));
  const checks = input.status === undefined ? own : [...own, statusCheck(input.status)];
  const provides = Object.keys(input.provides ?? {}).length > 0;
  const needsOne = checks.length === 0 && input.checks === undefined && provides && protocol === 'http';
  return needsOne ? [defaultCheck] : checks;
}
