import type { Failure } from './failure.ts';

/** Parts that drover leaves out: the mesh, peering, and what only Consul's own dashboard asks for. A path that begins so belongs to them. */
const LEFT_OUT: readonly string[] = [
  'connect/',
  'agent/connect/',
  'config',
  'discovery-chain/',
  'exported-services',
  'imported-services',
  'peering',
  'internal/',
];

/** What to say where nothing is: 501 for what Consul has, so that a client does not take it for "not found". */
export function missingEndpoint(path: string): Failure {
  if (LEFT_OUT.some((start) => path.startsWith(start)))
    return { status: 501, text: "drover leaves Consul's mesh and peering out" };
  return { status: 404, text: '404 page not found' };
}
