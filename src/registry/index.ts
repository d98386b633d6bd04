export { balancerView } from './balancer-view.ts';
export * from './catalog-reader.ts';
export { computeView, nodeServices, NO_FINGERPRINTS, type PreviousView } from './compute-view.ts';
export { environmentView, type Choices } from './environment-view.ts';
export * from './feed.ts';
export { healthOf, isRoutable, weightOf } from './health-of.ts';
export * from './keys.ts';
export type { NodeService } from './listener-inputs.ts';
export * from './listener-wants.ts';
export * from './lost.ts';
export * from './node-view.ts';
export * from './records.ts';
export { requiredServices } from './resolve-requirements.ts';
export { addressOf, instanceKeyOf, portOf, ResolveScope } from './resolve-scope.ts';
export { resolve, type Resolved } from './resolve.ts';
export * from './transition.ts';
export { viewDependencies, type ViewDependencies } from './view-dependencies.ts';
export { AliveWrites } from './alive-writes.ts';
export { Catalog, type CatalogOptions } from './catalog.ts';
export { ANY_REGION } from './declarations.ts';
export { type DeclareOptions, secretHash } from './declared-by.ts';
export * from './errors.ts';
export type { ExternalNode, ExternalRegistration } from './external-registration.ts';
export { type Drafted, NodeDrafts } from './node-drafts.ts';
export type { DatastorePlace } from './plan-declarations.ts';
export { type Deregistration, Registry, type RegistryOptions } from './registry.ts';
export { type FeedCheckpoint, StoreFeed, type StoreFeedOptions } from './store-feed.ts';
export { CacheCheck, type CacheCheckOptions } from './cache-check.ts';
export { Checkpoint, type CheckpointOptions } from './checkpoint.ts';
export type { CheckpointState } from './checkpoint-content.ts';
export { isToBeMadeAgain, isWriteless } from './held-transitions.ts';
export { KnownServers, SERVERS_TOPIC } from './known-servers.ts';
export { type Answer, type LiveQuery, type Rendered, prefixOfTopic, topicPrefix } from './answer.ts';
export { indexOf, type Indexed } from './index-of.ts';
export { LiveQueries, type LiveQueriesOptions, type WaitOptions } from './live-queries.ts';
export {
  reapTombstones,
  type TombstoneFamily,
  TombstoneReaper,
  type TombstoneReaperOptions,
  TOMBSTONES,
} from './tombstone-reaper.ts';
export {
  type ExecuteOptions,
  type ExecutedQuery,
  PreparedQueries,
  type PreparedQueriesOptions,
} from './prepared-queries.ts';
export { type PreparedParts, preparedParts, type PreparedPartsOptions } from './prepared-parts.ts';
export {
  PREPARED_TOPIC,
  type PreparedFailover,
  type PreparedQuery,
  type PreparedQueryRecord,
  type PreparedService,
  type PreparedTemplate,
} from './prepared-query.ts';
export { PreparedState } from './prepared-state.ts';
export { PreparedWrites, type PreparedWritesOptions, type PreparedWritten } from './prepared-writes.ts';
