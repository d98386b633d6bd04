/** What an agent answers for itself, whatever becomes of its region (consul-http-api 16). */
const LOCAL: readonly string[] = ['agent/', 'status/'];
/** These are about the region, for all their name. */
const REGIONAL: readonly string[] = ['agent/force-leave/', 'agent/connect/'];

/** Whether an endpoint, by its route's path, also answers where there is no server. */
export function isLocal(path: string): boolean {
  return LOCAL.some((start) => path.startsWith(start)) && !REGIONAL.some((start) => path.startsWith(start));
}

/** What Consul's client agents say then. */
export const NO_SERVERS = 'No known Consul servers';
