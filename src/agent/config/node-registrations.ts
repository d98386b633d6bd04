import { parseCheckRegistration, parseServiceRegistration, withSidecarPort } from '../../api/index.ts';
import type { CheckRegistration, ServiceRegistration } from '../../api/index.ts';
import type { Document, KeyPath } from '../../definition/index.ts';
import { DroverError, formatPlace, type Place } from '../../lib/index.ts';
import { checkKind, runsCommand, scriptsDisabled } from '../../health/index.ts';
import { checkOfNode, checksOfService } from '../registered-check.ts';
import { configConflict } from './errors.ts';
import type { NodeInput } from './schema.ts';
import type { CommandPlace } from './trusted-file.ts';

/** A part of a document that registers services and checks, and where it stands. */
export interface RegistrationPart {
  readonly input: Pick<NodeInput, 'service' | 'services' | 'check' | 'checks'>;
  readonly document: Document;
  readonly at: KeyPath;
  /** It stands in no file: commands in it are the operator's own. */
  readonly inline: boolean;
}

/** What a node's configuration registers. */
export interface ConfiguredRegistrations {
  readonly services: readonly ServiceRegistration[];
  readonly checks: readonly CheckRegistration[];
  /** Checks that run commands, each with its place. */
  readonly commands: readonly CommandPlace[];
}

interface Placed<T> {
  readonly value: T;
  readonly document: Document;
  readonly at: KeyPath;
  readonly inline: boolean;
}

const REFUSE = { unknownKeys: 'refuse' } as const;

/**
 * Services and checks of all the parts that speak of a node. Ids are unique and checks belong to services that are there.
 *
 * @throws API_BAD_REQUEST, HEALTH_INVALID_CHECK, HEALTH_SCRIPTS_DISABLED, CONFIG_CONFLICT with their places
 */
export function readRegistrations(
  node: string,
  parts: readonly RegistrationPart[],
  scripts: { readonly local: boolean },
): ConfiguredRegistrations {
  const services = withSidecars(parts.flatMap((part) => placed(part, ['service', 'services'], parseService)));
  const checks = parts.flatMap((part) => placed(part, ['check', 'checks'], parseCheck));
  refuseTwice(`services of node "${node}"`, services, ({ instance }) => [instance.id]);
  refuseTwice(`checks of node "${node}"`, [...services, ...checks], checkIds);
  for (const check of checks) refuseOrphan(node, check, services);
  const scriptChecks = [...services, ...checks].filter(({ value }) => definitionsOf(value).some(runsCommand));
  const [script] = scriptChecks;
  if (script !== undefined && !scripts.local) throw withPlace(script, scriptsDisabled());
  return {
    services: services.map(({ value }) => value),
    checks: checks.map(({ value }) => value),
    commands: scriptChecks
      .filter(({ inline }) => !inline)
      .map(({ document, at }) => ({ what: 'a script check', file: document.file, place: document.placeOf(at) })),
  };
}

/** Each sidecar as a service of its own, behind the one that asked for it. */
function withSidecars(services: readonly Placed<ServiceRegistration>[]): Placed<ServiceRegistration>[] {
  const all = services.map(({ value: { sidecar: _sidecar, ...value }, ...rest }) => ({ ...rest, value }));
  for (const { value, ...rest } of services) {
    if (value.sidecar === undefined) continue;
    const instances = all.map((one) => one.value.instance);
    all.push({ ...rest, value: withSidecarPort(value.sidecar, instances) });
  }
  return all;
}

function parseService(value: unknown): ServiceRegistration {
  const registration = parseServiceRegistration(value, REFUSE);
  for (const definition of registration.checks) checkKind(definition);
  return registration;
}

function parseCheck(value: unknown): CheckRegistration {
  const registration = parseCheckRegistration(value, REFUSE);
  checkKind(registration.definition);
  return registration;
}

type Key = 'service' | 'services' | 'check' | 'checks';

function placed<T>(part: RegistrationPart, keys: Key[], parse: (value: unknown) => T): Placed<T>[] {
  return keys.flatMap((key) => {
    const value: unknown = part.input[key];
    if (value === undefined) return [];
    if (!Array.isArray(value)) return [parsed(value, part, [...part.at, key], parse)];
    return value.map((one, index) => parsed(one, part, [...part.at, key, index], parse));
  });
}

function parsed<T>(
  input: unknown,
  { document, inline }: RegistrationPart,
  at: KeyPath,
  parse: (value: unknown) => T,
): Placed<T> {
  try {
    return { value: parse(input), document, at, inline };
  } catch (error) {
    throw error instanceof DroverError ? withPlace({ document, at }, error) : error;
  }
}

/** What a parser without places throws, with the place of what it was given. */
function withPlace({ document, at }: Pick<Placed<unknown>, 'document' | 'at'>, error: DroverError): DroverError {
  const place = document.placeOf(at);
  const excerpt = document.excerptOf(place);
  return new DroverError(error, error.message, {
    place,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(excerpt === undefined ? {} : { excerpt }),
    cause: error,
  });
}

function definitionsOf(value: ServiceRegistration | CheckRegistration): readonly CheckRegistration['definition'][] {
  return 'instance' in value ? value.checks : [value.definition];
}

function checkIds(value: ServiceRegistration | CheckRegistration): string[] {
  const checks =
    'instance' in value
      ? checksOfService(value.instance, value.checks, 'config')
      : [checkOfNode(value.serviceId, value.definition, 'config')];
  return checks.map((check) => check.id);
}

function refuseTwice<T>(what: string, all: readonly Placed<T>[], idsOf: (value: T) => readonly string[]): void {
  const seen = new Map<string, Place>();
  for (const { value, document, at } of all) {
    const place = document.placeOf(at);
    for (const id of idsOf(value)) {
      const first = seen.get(id);
      if (first !== undefined) throw twice(what, id, first, place, document);
      seen.set(id, place);
    }
  }
}

/** Two things have one id or name; the place is that of the second. */
export function twice(what: string, id: string, first: Place, place: Place, document: Document): DroverError {
  const excerpt = document.excerptOf(place);
  return configConflict.with(
    { place, hint: 'give each one of its own', ...(excerpt === undefined ? {} : { excerpt }) },
    `two ${what} are called "${id}": the other is at ${formatPlace(first)}`,
  );
}

function refuseOrphan(
  node: string,
  { value, document, at }: Placed<CheckRegistration>,
  services: readonly Placed<ServiceRegistration>[],
): void {
  const { serviceId } = value;
  if (serviceId === '' || services.some((one) => one.value.instance.id === serviceId)) return;
  const hint = 'name the id of a service that the configuration of this node registers';
  const place = document.placeOf([...at, 'service_id']);
  throw configConflict.with({ place, hint }, `node "${node}" registers no service "${serviceId}" for this check`);
}
