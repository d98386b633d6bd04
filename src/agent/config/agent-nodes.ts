import { hostname } from 'node:os';
import path from 'node:path';
import { formatPlace } from '../../lib/index.ts';
import type { AgentFlags, NodeConfig } from './config.ts';
import { configConflict } from './errors.ts';
import { toNodeConfig, type NodeDefaults, type NodePart } from './node-config.ts';
import { twice } from './node-registrations.ts';
import type { ConfigFile } from './read-config.ts';
import { NODE_KEYS, type ConfigInput, type NodeInput } from './schema.ts';

/** What the nodes of an agent are made from. */
export interface AgentNodesOptions {
  readonly flags: AgentFlags;
  readonly merged: Partial<ConfigInput>;
  readonly files: readonly ConfigFile[];
  readonly dataDirectory: string;
  readonly dev: boolean;
  readonly scripts: { readonly local: boolean };
}

type ListedNode = NodePart & { readonly input: NodeInput };

/**
 * The agent's own node, if anything names it or there is no other, then those of `nodes`.
 *
 * @throws CONFIG_CONFLICT and what `toNodeConfig` throws
 */
export async function agentNodes(options: AgentNodesOptions): Promise<NodeConfig[]> {
  const listed = options.files.flatMap((file) =>
    (file.input.nodes ?? []).map((input, index): ListedNode => ({ input, ...partOf(file, ['nodes', index]) })),
  );
  const { flags, merged, files } = options;
  const ownName = flags.node ?? merged.node_name ?? (listed.length === 0 ? hostname() : null);
  if (ownName === null) refuseNodeKeys(files);
  refuseSameName(ownName, listed);
  const own = ownName === null ? [] : [ownNode(ownName, options)];
  const nodes = await Promise.all([...own, ...listed.map((one) => listedNode(one, options))]);
  refuseSharedDirectory(nodes);
  return nodes;
}

function ownNode(name: string, options: AgentNodesOptions): Promise<NodeConfig> {
  const { flags, merged, files, dev } = options;
  const parts = files.map((file) => ({ input: nodeKeysOf(file.input), ...partOf(file, []) }));
  return toNodeConfig(parts, {
    ...defaultsOf(name, options),
    id: merged.node_id ?? null,
    address: merged.advertise_addr ?? specific(flags.bind ?? merged.bind_addr) ?? '127.0.0.1',
    ...(dev ? {} : { environmentDirectory: '/etc/services.d' }),
  });
}

function listedNode(one: ListedNode, options: AgentNodesOptions): Promise<NodeConfig> {
  return toNodeConfig([one], defaultsOf(one.input.name, options));
}

function defaultsOf(name: string, { dataDirectory, scripts }: AgentNodesOptions): NodeDefaults {
  const environmentDirectory = path.join(dataDirectory, 'nodes', encodeURIComponent(name), 'services.d');
  return { name, id: null, address: '127.0.0.1', environmentDirectory, scripts };
}

function specific(bind: string | undefined): string | undefined {
  return bind === '0.0.0.0' || bind === '::' ? undefined : bind;
}

function nodeKeysOf(input: ConfigInput): NodePart['input'] {
  return Object.fromEntries(NODE_KEYS.filter((key) => input[key] !== undefined).map((key) => [key, input[key]]));
}

function partOf(file: ConfigFile, at: readonly (string | number)[]): Omit<NodePart, 'input'> {
  return { document: file.document, directory: file.directory, at, inline: file.inline };
}

/** What belongs to the agent's own node would be lost silently where `nodes` lists all of them. */
function refuseNodeKeys(files: readonly ConfigFile[]): void {
  for (const { input, document } of files) {
    const key = NODE_KEYS.find((one) => input[one] !== undefined);
    if (key === undefined) continue;
    const place = document.placeOf([key], 'key');
    const hint = 'move it into one of "nodes", or name the agent’s own node with "node_name"';
    throw configConflict.with({ place, hint }, `"${key}" stands beside "nodes" and belongs to no node`);
  }
}

function refuseSameName(ownName: string | null, listed: readonly ListedNode[]): void {
  const seen = new Map(ownName === null ? [] : [[ownName.toLowerCase(), { file: 'the agent’s own node' }]]);
  for (const { input, document, at } of listed) {
    const place = document.placeOf([...at, 'name']);
    const first = seen.get(input.name.toLowerCase());
    if (first !== undefined) throw twice('nodes', input.name, first, place, document);
    seen.set(input.name.toLowerCase(), { file: formatPlace(place) });
  }
}

/** Each node removes files from its directory that are not its own. */
function refuseSharedDirectory(nodes: readonly NodeConfig[]): void {
  const seen = new Map<string, string>();
  for (const { name, environment } of nodes) {
    if (environment === null) continue;
    const other = seen.get(environment.directory);
    const text = `nodes "${other}" and "${name}" both write environment files to ${environment.directory}`;
    if (other !== undefined) throw configConflict.with({ hint: 'give each an environment.directory of its own' }, text);
    seen.set(environment.directory, name);
  }
}
