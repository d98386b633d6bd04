import type { z } from 'zod';
import { DEPLOYMENTS } from '../../listener/index.ts';
import type { Feed } from '../../registry/index.ts';
import { keyRange, type Revision, type Store } from '../../store/index.ts';
import { deploymentSchema } from './schemas.ts';

/** How far a deployment over many nodes has come: `deploy/<id>`. */
export type Deployment = z.output<typeof deploymentSchema>;

const keyOf = (id: string): string => `${DEPLOYMENTS}${encodeURIComponent(id)}`;

/** null: there is none. */
export async function readDeployment(store: Pick<Store, 'read'>, id: string): Promise<Deployment | null> {
  const { entries } = await store.read(keyRange(keyOf(id)));
  const [entry] = entries;
  if (entry === undefined) return null;
  return { ...deploymentSchema.parse(JSON.parse(entry.value)), revision: entry.modRevision };
}

/** null: it is not at the revision that it was read at any more: somebody else goes on with it. */
export async function putDeployment(
  feed: Pick<Feed, 'commit'>,
  id: string,
  { revision, ...state }: Deployment,
): Promise<Revision | null> {
  const key = keyOf(id);
  const value = JSON.stringify({ ...state, revision: 0 });
  const outcome = await feed.commit({
    compares: [{ key, modRevision: revision }],
    writes: [{ type: 'put', key, value }],
  });
  return outcome.ok ? outcome.revision : null;
}
