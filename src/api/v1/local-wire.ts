import { fingerprint } from '../../lib/index.ts';
import type { CheckRecord, InstanceRecord } from '../../registry/index.ts';
import type { LocalNode } from '../local-node.ts';
import { wireCheck, type WireCheck } from './wire-checks.ts';
import { wireTagged } from './wire.ts';

const NO_REVISIONS = { createRevision: 0, modRevision: 0 };

/** A service as the agent's own endpoints show it (consul-http-api 8). */
export function localService(record: InstanceRecord, datacenter: string): Record<string, unknown> {
  return {
    ...(record.kind === undefined ? {} : { Kind: record.kind }),
    ID: record.id,
    Service: record.service,
    Tags: record.tags,
    Meta: record.meta,
    Port: record.port,
    Address: record.address,
    TaggedAddresses: wireTagged(record),
    SocketPath: record.socketPath ?? '',
    Weights: { Passing: record.weights.passing, Warning: record.weights.warning },
    EnableTagOverride: record.enableTagOverride,
    Datacenter: datacenter,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** The same with the hash of its content, to wait on. */
export function hashedService(
  record: InstanceRecord,
  datacenter: string,
): Record<string, unknown> & { readonly ContentHash: string } {
  const service = localService(record, datacenter);
  return { ...service, ContentHash: fingerprint(service).slice(0, 16) };
}

/** A check as the agent's own endpoints show it. */
export function localCheck(node: LocalNode, check: CheckRecord): WireCheck {
  const service = node.services().find((one) => one.id === check.serviceId);
  return wireCheck(node.record.name, check, service, NO_REVISIONS);
}
