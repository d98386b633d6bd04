import { checksFor } from '../definition/index.ts';
import type { CatalogNode, CatalogReader } from './catalog-reader.ts';
import type { NodeView } from './node-view.ts';
import { addressOf } from './resolve-scope.ts';

/**
 * How the definitions say that the node's instances are checked (P24), by instance id, filled in for each; empty for an
 * instance whose definition names no check, or that has none. Whether an instance uses them is its agent's to say: it has
 * none of its own. Pure.
 */
export function offeredChecks(catalog: CatalogReader, node: CatalogNode): NodeView['checks'] {
  const { name, federation } = node.record;
  return Object.fromEntries(
    [...node.instances.values()].map((instance) => {
      const { id, service, port, meta } = instance.record;
      const definition = catalog.definition(federation, service)?.record;
      if (definition === undefined || definition.checks.length === 0) return [id, []];
      const facts = { host: addressOf(instance), port, id, node: name, region: catalog.region, meta };
      return [id, checksFor(definition, facts)];
    }),
  );
}
