import { keyOfServer } from './names.ts';
import type { RuntimeServer } from './servers-state.ts';

/** A session in flight, as `show sess` lists it. */
export interface RuntimeSession {
  readonly id: string;
  readonly backend: string;
  /** The member's key. */
  readonly key: string;
}

/** Reads the answer to `show sess`; sessions without a server are left out. */
export function parseSessions(text: string): RuntimeSession[] {
  const rows = text.matchAll(/^(0x[0-9a-f]+): .*? be=(\S+) srv=([^<\s]\S*) /gm);
  return [...rows].map(([, id = '', backend = '', server = '']) => ({ id, backend, key: keyOfServer(server) }));
}

/** Whether a session is one of these servers'. */
export function sessionsOf(
  servers: readonly Pick<RuntimeServer, 'backend' | 'name'>[],
): (session: RuntimeSession) => boolean {
  const names = new Set(servers.map(({ backend, name }) => `${backend} ${keyOfServer(name)}`));
  return ({ backend, key }) => names.has(`${backend} ${key}`);
}
