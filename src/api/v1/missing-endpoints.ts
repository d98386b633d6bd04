import type { Failure } from './failure.ts';

/** Parts of Consul's API that a later version will have; a path that begins so belongs to them. */
const LATER: readonly string[] = ['query'];

/** Parts that drover leaves out: the mesh, peering, and what only Consul's own dashboard asks for. */
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
  const begins = (start: string): boolean => path === start || path.startsWith(start);
  if (LATER.some(begins)) return { status: 501, text: 'not in this version of drover yet' };
  if (LEFT_OUT.some(begins)) return { status: 501, text: "drover leaves Consul's mesh and peering out" };
  return { status: 404, text: '404 page not found' };
}
