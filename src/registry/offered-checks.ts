import { type CheckDefinition, checksFor } from '../definition/index.ts';
import type { CatalogNode, CatalogReader } from './catalog-reader.ts';
import type { NodeView } from './node-view.ts';
import { addressOf } from './resolve-scope.ts';

/**
 * How the definitions say that the node's instances are checked (P24), by instance id, filled in for each;
 * without those of whom it says nothing. Whether an instance uses them is its agent's to say: it has none of its own. Pure.
 */
export function offeredChecks(catalog: CatalogReader, node: CatalogNode): NodeView['checks'] {
  const { name, federation } = node.record;
  const offered: Record<string, readonly CheckDefinition[]> = {};
  for (const instance of node.instances.values()) {
    const { record } = instance;
    const definition = catalog.definition(federation, record.service)?.record;
    if (definition === undefined || definition.checks.length === 0) continue;
    const { id, port, meta } = record;
    const facts = { host: addressOf(instance), port, id, node: name, region: catalog.region, meta };
    const checks = checksFor(definition, facts);
    if (checks.length > 0) offered[id] = checks;
  }
  return offered;
}
