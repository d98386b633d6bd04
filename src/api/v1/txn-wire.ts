import type { TxnResult } from '../../kv/index.ts';
import type { CatalogNode, Drafted, Instance } from '../../registry/index.ts';
import { bareEntryJson, entryJson } from './kv-wire.ts';
import { wireCheck } from './wire-checks.ts';
import { wireNode, wireService } from './wire.ts';

/** One entry of `Results`; `revision` is what the transaction became. */
export function resultJson(result: TxnResult, revision: number, region: string): string {
  switch (result.type) {
    case 'kv': {
      const entry = stamped(result.entry, revision);
      return `{"KV":${result.withValue ? entryJson(entry) : bareEntryJson(entry)}}`;
    }
    case 'node':
      return JSON.stringify({ Node: wireNode(stamped(result.node, revision) as CatalogNode, region) });
    case 'service':
      return JSON.stringify({ Service: wireService(stamped(result.service, revision) as Instance) });
    case 'check': {
      const check = stamped(result.check, revision);
      return JSON.stringify({ Check: wireCheck(result.node, check.record, result.service, check) });
    }
  }
}

type Stamps = Pick<Drafted<unknown>, 'createRevision' | 'modRevision'>;

function stamped<T extends Stamps>(drafted: T, revision: number): T {
  const stamp = (known: number): number => (known === 0 ? revision : Math.max(known, 0));
  return {
    ...drafted,
    createRevision: stamp(drafted.createRevision),
    modRevision: stamp(drafted.modRevision),
  };
}
