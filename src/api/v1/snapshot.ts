import { DroverError } from '../../lib/index.ts';
import { notApplied, TOMBSTONES, type Feed } from '../../registry/index.ts';
import { MAX_SNAPSHOT_BYTES, readSnapshot, restoreSnapshot, takeSnapshot, type Revision } from '../../store/index.ts';
import type { ApiContext } from '../context.ts';
import { changedAt, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { readHeaders } from './read-headers.ts';

/** So often a restore waits for this server to take it up, 2 s each. */
const WAITS = 60;

/** The whole state as one archive, and back (consul-http-api 10). */
export function snapshotRoutes(context: ApiContext): V1Route[] {
  return [
    {
      path: 'snapshot',
      bodyLimit: MAX_SNAPSHOT_BYTES,
      admit: ({ authority }) => authority.demand('acl', '', 'write'),
      methods: { GET: (request) => save(context, request), PUT: (request) => restore(context, request) },
    },
  ];
}

async function save({ store, version, region, clock, access }: ApiContext, request: V1Request): Promise<V1Answer> {
  request.authority.demand('acl', '', 'write');
  const at = new Date(clock.wall()).toISOString();
  const { archive, meta } = await takeSnapshot(store, { version, region, at });
  const consistency = request.query.has('stale') ? 'stale' : 'leader';
  const headerList = readHeaders(store.status(), meta.index, consistency, access.defaultPolicy);
  return { bytes: archive, headers: { 'Content-Type': 'application/x-gzip' }, headerList };
}

/** The archive is read whole before anything changes; then everything changes at once, and the nodes say again what they run. */
async function restore(context: ApiContext, { authority, author, body }: V1Request): Promise<V1Answer> {
  authority.demand('acl', '', 'write');
  const snapshot = await readSnapshot(body);
  const floors = [...new Set(TOMBSTONES.map((family) => family.floor))];
  const revision = await restoreSnapshot(context.store, snapshot, floors);
  context.log.warn(
    { revision, author, of: snapshot.meta },
    `the region was restored from a snapshot of ${snapshot.meta.at}`,
  );
  await takenUp(context.feed, revision);
  await context.restored();
  return { headers: changedAt(revision) };
}

/** A large state takes longer to be read again than one change may. @throws REGISTRY_NOT_APPLIED */
async function takenUp(feed: Pick<Feed, 'applied'>, revision: Revision): Promise<void> {
  for (let left = WAITS; ; left--) {
    try {
      return await feed.applied(revision);
    } catch (error) {
      const isSlow = error instanceof DroverError && error.code === notApplied.code;
      if (!isSlow || left <= 0) throw error;
    }
  }
}
