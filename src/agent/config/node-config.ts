import path from 'node:path';
import { validateDocument, type Document } from '../../definition/index.ts';
import type { BalancerConfig, EnvironmentConfig, NodeConfig, ProvisionConfig } from './config.ts';
import { mergeInputs } from './merge-inputs.ts';
import { readHandlers } from './node-handlers.ts';
import { readRegistrations, type RegistrationPart } from './node-registrations.ts';
import { listFiles, readDocumentFile } from './read-config.ts';
import { localFileSchema, type NodeInput } from './schema.ts';
import { assertTrusted } from './trusted-file.ts';

/** The part of a configuration that belongs to one node, and the document it stands in. */
export interface NodePart {
  readonly input: Omit<NodeInput, 'name'>;
  readonly document: Document;
  readonly directory: string;
  /** Path of the part in its document: empty for the top level. */
  readonly at: readonly (string | number)[];
  /** It stands in no file: who starts the agent says it. */
  readonly inline: boolean;
}

const PROVISION_LIMIT_MS = 30 * 60_000;
const AT_MOST = '10%';

/** What a node's parts leave open. */
export interface NodeDefaults {
  readonly name: string;
  readonly id: string | null;
  readonly address: string;
  readonly environmentDirectory: string;
  readonly scripts: { readonly local: boolean };
}

/**
 * One node from the parts that speak of it, in order: scalars of the last one win, lists of services and checks add up.
 *
 * @throws API_BAD_REQUEST, HEALTH_INVALID_CHECK, CONFIG_CONFLICT, CONFIG_UNTRUSTED with their places
 */
export async function toNodeConfig(parts: readonly NodePart[], defaults: NodeDefaults): Promise<NodeConfig> {
  const merged = mergeInputs(parts.map((part) => part.input));
  const local = (await Promise.all(parts.map(readLocalFiles))).flat();
  const { services, checks, commands } = readRegistrations(defaults.name, [...parts, ...local], defaults.scripts);
  const provision = provisionOf(merged.provision, parts);
  const handlers = readHandlers(defaults.name, parts);
  for (const command of [...commands, ...provision.commands, ...handlers.commands]) await assertTrusted(command);
  return Object.freeze({
    name: defaults.name,
    id: merged.id ?? defaults.id,
    address: merged.address ?? defaults.address,
    federation: merged.federation ?? 'default',
    runs: Object.freeze([...(merged.runs ?? [])]),
    meta: Object.freeze({ ...merged.node_meta }),
    balancer: balancerOf(merged.balancer),
    environment: environmentOf(merged, parts, defaults.environmentDirectory),
    provision: provision.config,
    services,
    checks,
    watches: handlers.watches,
    reactions: handlers.reactions,
  });
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
  const from = parts.findLast((part) => part.input.environment?.directory !== undefined)?.directory ?? '/';
  return {
    directory: directory === undefined ? fallback : path.resolve(from, directory),
    mode: Number.parseInt(input?.mode ?? '0640', 8),
    owner: input?.owner ?? null,
  };
}

function provisionOf(
  input: NodeInput['provision'],
  parts: readonly NodePart[],
): {
  readonly config: ProvisionConfig | null;
  readonly commands: Parameters<typeof assertTrusted>[0][];
} {
  const from = parts.findLast((part) => part.input.provision?.command !== undefined);
  if (input === undefined || from === undefined) return { config: null, commands: [] };
  const config = {
    command: input.command,
    kind: input.kind ?? 'command',
    timeLimitMs: input.time_limit ?? PROVISION_LIMIT_MS,
    lockFile: input.lock_file ?? null,
    membership: input.membership ?? false,
    group: input.group ?? null,
    atMost: String(input.at_most ?? AT_MOST),
    cwd: from.directory,
  };
  const { document, at, inline } = from;
  if (inline) return { config, commands: [] };
  const place = document.placeOf([...at, 'provision', 'command']);
  return { config, commands: [{ what: 'the provision command', file: document.file, place }] };
}

/** Consul-style files with a node's services and checks. */
async function readLocalFiles(part: NodePart): Promise<RegistrationPart[]> {
  const directory = part.input.config_dir;
  if (directory === undefined) return [];
  const files = await listFiles(path.resolve(part.directory, directory));
  return Promise.all(
    files.map(async (file) => {
      const document = await readDocumentFile(file);
      return { input: validateDocument(document, localFileSchema), document, at: [], inline: false };
    }),
  );
}
