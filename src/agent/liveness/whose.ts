import type { OwnerRecord } from '../../registry/index.ts';

/** Who speaks for a node that is not linked here: this server, whoever has the duty, or another server. */
export type Speaker = 'own' | 'duty' | 'other';

/** Who speaks for a node by its `own/` record. Pure. */
export function whoseNode(
  owner: Pick<OwnerRecord, 'server'> | undefined,
  self: string,
  isRunning: (server: string) => boolean,
): Speaker {
  const server = owner?.server;
  if (server === self) return 'own';
  return server === undefined || !isRunning(server) ? 'duty' : 'other';
}
