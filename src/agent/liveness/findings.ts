import type { Definition } from '../../definition/index.ts';
import { isLoopback } from '../../lib/index.ts';
import { addressOf, portOf, type CatalogNode, type Finding, type Instance } from '../../registry/index.ts';

/** What became of a TCP connection: taken; refused by the machine; or nothing came back in time. */
export type Found = 'accepts' | 'refuses' | 'silent';

/** What all who looked found of an instance together. */
export type Verdict = 'answers' | Finding;

/** Instance id → verdict, of those that can be probed. */
export type Findings = ReadonlyMap<string, Verdict>;

/** An instance as it is probed. */
export interface ProbeTarget {
  readonly id: string;
  readonly address: string;
  readonly port: number;
}

/** Whoever is reached by anybody lives; the server's silence alone says less than that of others as well. Pure. */
export function verdictOf(own: Found, others: readonly Found[]): Verdict {
  const all = [own, ...others];
  if (all.includes('accepts')) return 'answers';
  if (all.includes('refuses')) return 'refused';
  return others.length === 0 ? 'unseen' : 'silent';
}

/** The definition of a service on a node, where there is one: it may say the port. */
export type DefinitionOf = (instance: Instance) => Definition | undefined;

/**
 * The instances of a node that a TCP connection from elsewhere says something about. Those without a port, on a socket, with checks
 * over UDP only, or that only programs of their own machine reach, are not among them. Pure.
 */
export function probeTargets(node: CatalogNode, definitionOf: DefinitionOf): ProbeTarget[] {
  return [...node.instances.values()].flatMap((instance): ProbeTarget[] => {
    const definition = definitionOf(instance);
    const port = definition === undefined ? instance.record.port : (portOf(definition, instance.record.port) ?? 0);
    return port > 0 && isProbed(instance) ? [{ id: instance.record.id, address: addressOf(instance), port }] : [];
  });
}

function isProbed(instance: Instance): boolean {
  const { node, record } = instance;
  // What a server registers of itself for Consul's clients: nothing listens there.
  if (record.service === 'consul' || record.socketPath !== undefined) return false;
  if (isLoopback(addressOf(instance)) && !isLoopback(node.record.address)) return false;
  const kinds = new Set([...instance.checks.values()].map((check) => check.record.type));
  return !kinds.has('udp') || [...kinds].some((kind) => STREAMS.has(kind));
}

const STREAMS: ReadonlySet<string> = new Set(['tcp', 'http', 'grpc', 'h2ping']);
