import type { DroverClient } from '../../client/src/index.ts';
import type { Command } from './command.ts';

/** What tokens and roles are given. */
export const GRANT_OPTIONS: Command['options'] = [
  { flags: '--policy <names>', text: 'policies, with commas between' },
  { flags: '--service <names>', text: 'services that it may speak for, with commas between' },
  { flags: '--for-node <names>', text: 'nodes that it may speak for, with commas between' },
];

/** `a,b` as names; none for nothing. */
export function namesOf(given: unknown): readonly string[] {
  if (typeof given !== 'string') return [];
  return given
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The same on the wire. An identity of a node belongs to a datacenter: the agent's. */
export async function grantsOf(
  client: DroverClient,
  options: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const nodes = namesOf(options['forNode']);
  const datacenter = nodes.length === 0 ? '' : (await client.status()).region;
  return {
    Policies: namesOf(options['policy']).map((Name) => ({ Name })),
    ServiceIdentities: namesOf(options['service']).map((ServiceName) => ({ ServiceName })),
    NodeIdentities: nodes.map((NodeName) => ({ NodeName, Datacenter: datacenter })),
  };
}
