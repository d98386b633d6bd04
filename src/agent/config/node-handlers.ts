import {
  type HandlerDefinition,
  type ReactionDefinition,
  toReaction,
  toWatch,
  type WatchDefinition,
} from '../../event/index.ts';
import { formatPlace } from '../../lib/index.ts';
import type { AgentConfig, NodeConfig } from './config.ts';
import { configConflict } from './errors.ts';
import type { NodePart } from './node-config.ts';
import { twice } from './node-registrations.ts';
import type { CommandPlace } from './trusted-file.ts';

/** What a node's configuration says about handlers. */
export interface ConfiguredHandlers {
  readonly watches: readonly WatchDefinition[];
  readonly reactions: readonly ReactionDefinition[];
  /** Handlers that run commands, each with its place. */
  readonly commands: readonly CommandPlace[];
}

/** Watches and reactions of all the parts that speak of a node; they add up. @throws CONFIG_CONFLICT */
export function readHandlers(node: string, parts: readonly NodePart[]): ConfiguredHandlers {
  refuseSameName(node, parts);
  const watches = parts.flatMap((part) =>
    (part.input.watches ?? []).map((input, index) => ({
      value: toWatch(input, { cwd: part.directory, node }),
      commands: commandOf(part, ['watches', index], 'the handler of a watch'),
    })),
  );
  const reactions = parts.flatMap((part) =>
    (part.input.reactions ?? []).map((input, index) => ({
      value: toReaction(input, part.directory),
      commands: commandOf(part, ['reactions', index], 'the handler of a reaction'),
    })),
  );
  return {
    watches: watches.map(({ value }) => value),
    reactions: reactions.map(({ value }) => value),
    commands: [
      ...watches.filter(({ value }) => isScript(value.handler)),
      ...reactions.filter(({ value }) => Object.values(value.handlers).some(isScript)),
    ].flatMap(({ commands }) => commands),
  };
}

/**
 * Watches ask the agent's own HTTP, as in Consul.
 *
 * @throws CONFIG_CONFLICT where there is none
 */
export function refuseUnanswered({ http }: Pick<AgentConfig, 'http'>, nodes: readonly NodeConfig[]): void {
  const node = nodes.find(({ watches, reactions }) => watches.length + reactions.length > 0);
  if (http.port >= 0 || node === undefined) return;
  const hint = 'give ports.http a port, 0 for a free one, or leave the watches out';
  throw configConflict.with(
    { hint },
    `node "${node.name}" has watches or reactions, which ask the agent's own HTTP, and HTTP is off`,
  );
}

function commandOf({ document, at, inline }: NodePart, key: (string | number)[], what: string): CommandPlace[] {
  return inline ? [] : [{ what, file: document.file, place: document.placeOf([...at, ...key]) }];
}

function isScript({ type }: HandlerDefinition): boolean {
  return type === 'script';
}

function refuseSameName(node: string, parts: readonly NodePart[]): void {
  const seen = new Map<string, { readonly file: string }>();
  for (const { input, document, at } of parts) {
    for (const [index, { name }] of (input.reactions ?? []).entries()) {
      const place = document.placeOf([...at, 'reactions', index, 'name']);
      const first = seen.get(name);
      if (first !== undefined) throw twice(`reactions of node "${node}"`, name, first, place, document);
      seen.set(name, { file: formatPlace(place) });
    }
  }
}
