import type { Revision } from '../store/index.ts';
import type { InstanceState, NodeState } from './catalog-state.ts';
import type { CatalogTables } from './catalog-tables.ts';
import { topic } from './keys.ts';

/** Says that a topic holds something of this revision. */
export type Touch = (topic: string, revision: Revision) => void;

/** Touches everything that a node brings with it when it comes to be seen. */
export function foldNode(tables: CatalogTables, node: NodeState, touch: Touch): void {
  const own = topic.node(node.name);
  const ofChecks = topic.nodeChecks(node.name);
  const aliveRevision = node.storedAlive?.modRevision ?? 0;
  let checksRevision = Math.max(node.createRevision, aliveRevision);
  for (const check of node.checks.values()) checksRevision = Math.max(checksRevision, check.modRevision);
  touch(topic.nodes, Math.max(node.modRevision, aliveRevision));
  touch(topic.checks, checksRevision);
  touch(ofChecks, checksRevision);
  touch(own, Math.max(node.modRevision, tables.topics.own(ofChecks)));
  for (const instance of node.unordered()) foldInstance(tables, instance, touch);
}

/** Touches everything that an instance brings with it: its checks, and for its service also its node. */
export function foldInstance(tables: CatalogTables, instance: InstanceState, touch: Touch): void {
  const { node } = instance;
  let revision = instance.modRevision;
  for (const check of instance.checks.values()) revision = Math.max(revision, check.modRevision);
  touch(topic.services, Math.max(instance.modRevision, node.createRevision));
  touch(topic.checks, Math.max(revision, node.createRevision));
  touch(topic.node(node.name), revision);
  const ofNode = Math.max(node.modRevision, tables.topics.own(topic.nodeChecks(node.name)));
  touch(topic.service(instance.record.service), Math.max(revision, ofNode));
}

/** Touches each service that has an instance on the node. */
export function foldNodeServices(node: NodeState, revision: Revision, touch: Touch): void {
  for (const instance of node.unordered()) touch(topic.service(instance.record.service), revision);
}
