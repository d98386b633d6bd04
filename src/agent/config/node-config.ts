import path from 'node:path';
import { parseCheckRegistration, parseServiceRegistration } from '../../api/index.ts';
import type { CheckRegistration, ServiceRegistration } from '../../api/index.ts';
import { validateDocument, type Document } from '../../definition/index.ts';
import { DroverError } from '../../lib/index.ts';
import type { BalancerConfig, EnvironmentConfig, NodeConfig, ProvisionConfig } from './config.ts';
import { listFiles, readDocumentFile } from './read-config.ts';
import { localFileSchema, type NodeInput } from './schema.ts';

/** The part of a configuration that belongs to one node, and the document it stands in. */
export interface NodePart {
  readonly input: Omit<NodeInput, 'name'>;
  readonly document: Document;
  readonly directory: string;
  /** Path of the part in its document: empty for the top level. */
  readonly at: readonly (string | number)[];
}

const PROVISION_LIMIT_MS = 30 * 60_000;
const REFUSE = { unknownKeys: 'refuse' } as const;

/** Defaults that depend on the agent. */
export interface NodeDefaults {
  readonly name: string;
  readonly id: string | null;
  readonly address: string;
  /** Where environment files go when nothing is said; null = /etc/services.d. */
  readonly environmentDirectory: string;
}

/**
 * One node from the parts that speak of it, in order: scalars of the last one win, lists of services and checks add up.
 *
 * @throws DEFINITION_INVALID and API_BAD_REQUEST with their places
 */
export async function toNodeConfig(parts: readonly NodePart[], defaults: NodeDefaults): Promise<NodeConfig> {
  const merged: Partial<NodePart['input']> = Object.assign({}, ...parts.map((part) => definedOnly(part.input)));
  const local = (await Promise.all(parts.map(readLocalFiles))).flat();
  const registered = [...parts.map(registrationsOf), ...local];
  return Object.freeze({
    name: defaults.name,
    id: merged.id ?? defaults.id,
    address: merged.address ?? defaults.address,
    federation: merged.federation ?? 'default',
    runs: Object.freeze([...(merged.runs ?? [])]),
    meta: Object.freeze({ ...merged.node_meta }),
    balancer: balancerOf(merged.balancer),
    environment: environmentOf(merged, parts, defaults.environmentDirectory),
    provision: provisionOf(merged.provision, lastDirectory(parts, 'provision')),
    services: registered.flatMap((one) => one.services),
    checks: registered.flatMap((one) => one.checks),
  });
}

function definedOnly<T extends object>(input: T): Partial<T> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function balancerOf(input: NodeInput['balancer']): BalancerConfig | null {
  if (input === undefined) return null;
  const given = input === true ? {} : input;
  return { address: given.address ?? '127.0.0.1', haproxy: given.haproxy ?? null, onStop: given.on_stop ?? 'keep' };
}

function environmentOf(
  merged: Partial<NodePart['input']>,
  parts: readonly NodePart[],
  fallback: string,
): EnvironmentConfig | null {
  const input = merged.environment;
  if (input === undefined && (merged.runs ?? []).length === 0) return null;
  const directory = input?.directory;
  return {
    directory: directory === undefined ? fallback : path.resolve(lastDirectory(parts, 'environment'), directory),
    mode: Number.parseInt(input?.mode ?? '0640', 8),
    owner: input?.owner ?? null,
  };
}

function provisionOf(input: NodeInput['provision'], directory: string): ProvisionConfig | null {
  if (input === undefined) return null;
  return {
    command: input.command,
    kind: input.kind ?? 'command',
    timeLimitMs: input.time_limit ?? PROVISION_LIMIT_MS,
    lockFile: input.lock_file ?? null,
    membership: input.membership ?? false,
    cwd: directory,
  };
}

function lastDirectory(parts: readonly NodePart[], key: 'provision' | 'environment'): string {
  return parts.findLast((part) => part.input[key] !== undefined)?.directory ?? process.cwd();
}

interface Registered {
  readonly services: readonly ServiceRegistration[];
  readonly checks: readonly CheckRegistration[];
}

function registrationsOf({ input, document, at }: NodePart): Registered {
  const read = <T>(key: 'service' | 'services' | 'check' | 'checks', parse: (value: unknown) => T): T[] => {
    const value = input[key];
    if (value === undefined) return [];
    if (!Array.isArray(value)) return [withPlace(document, [...at, key], () => parse(value))];
    return value.map((one, index) => withPlace(document, [...at, key, index], () => parse(one)));
  };
  const service = (value: unknown): ServiceRegistration => parseServiceRegistration(value, REFUSE);
  const check = (value: unknown): CheckRegistration => parseCheckRegistration(value, REFUSE);
  return {
    services: [...read('service', service), ...read('services', service)],
    checks: [...read('check', check), ...read('checks', check)],
  };
}

/** Consul-style files with a node's services and checks. */
async function readLocalFiles(part: NodePart): Promise<Registered[]> {
  const directory = part.input.config_dir;
  if (directory === undefined) return [];
  const files = await listFiles(path.resolve(part.directory, directory));
  return Promise.all(
    files.map(async (file) => {
      const document = await readDocumentFile(file);
      const input = validateDocument(document, localFileSchema);
      return registrationsOf({ input, document, directory: path.dirname(file), at: [] });
    }),
  );
}

/** What a parser without places throws, with the place of what it was given. */
function withPlace<T>(document: Document, at: readonly (string | number)[], parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof DroverError) || error.place?.line !== undefined) throw error;
    const place = document.placeOf(at);
    const excerpt = document.excerptOf(place);
    throw new DroverError(error, error.message, {
      place,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(excerpt === undefined ? {} : { excerpt }),
      cause: error,
    });
  }
}
