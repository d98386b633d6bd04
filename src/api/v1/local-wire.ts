import { fingerprint } from '../../lib/index.ts';
import type { CheckRecord, InstanceRecord } from '../../registry/index.ts';
import type { LocalNode } from '../local-node.ts';
import { json, type V1Answer, type V1Request } from './exchange.ts';
import { aggregate, wireCheck } from './wire.ts';

const NO_REVISIONS = { createRevision: 0, modRevision: 0 };

/** A service as the agent's own endpoints show it (consul-http-api 8). */
export function localService(record: InstanceRecord, datacenter: string, withHash = false): Record<string, unknown> {
  const service = {
    ...(record.kind === undefined ? {} : { Kind: record.kind }),
    ID: record.id,
    Service: record.service,
    Tags: record.tags,
    Meta: record.meta,
    Port: record.port,
    Address: record.address,
    TaggedAddresses: Object.fromEntries(
      Object.entries(record.taggedAddresses).map(([key, { address, port }]) => [key, { Address: address, Port: port }]),
    ),
    SocketPath: '',
    Weights: { Passing: record.weights.passing, Warning: record.weights.warning },
    EnableTagOverride: record.enableTagOverride,
    Datacenter: datacenter,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  return withHash ? { ...service, ContentHash: fingerprint(service).slice(0, 16) } : service;
}

/** A check as the agent's own endpoints show it. */
export function localCheck(node: LocalNode, check: CheckRecord): Record<string, unknown> {
  const service = node.services().find((one) => one.id === check.serviceId);
  return wireCheck(node.record.name, check, service, NO_REVISIONS);
}

const STATUS_CODE: Readonly<Record<string, number>> = { passing: 200, warning: 429, critical: 503, maintenance: 503 };

/** `/agent/health/service/…`: the answer's status says the health. */
export function localHealth(
  node: LocalNode,
  matches: (service: InstanceRecord) => boolean,
  { argument, query, headers }: V1Request,
  by: 'id' | 'name',
): V1Answer {
  const found = node
    .services()
    .filter(matches)
    .map((service) => healthOf(node, service));
  const asText = query.get('format') === 'text' || headers.accept === 'text/plain';
  if (found.length === 0) {
    if (asText) return { status: 404, text: `ServiceId ${argument} not found` };
    const absent = { AggregatedStatus: 'critical', Service: null, Checks: null };
    return { status: 404, ...json(by === 'id' ? absent : [absent]) };
  }
  const worst =
    ['maintenance', 'critical', 'warning'].find((one) => found.some(({ status }) => status === one)) ?? 'passing';
  const status = STATUS_CODE[worst] ?? 503;
  if (asText) return { status, text: worst };
  const bodies = found.map(({ body }) => body);
  return { status, ...json(by === 'id' ? bodies[0] : bodies) };
}

function healthOf(node: LocalNode, service: InstanceRecord): { status: string; body: Record<string, unknown> } {
  const checks = node.checks().filter((check) => check.serviceId === service.id || check.serviceId === '');
  const status = aggregate(checks);
  const body = {
    AggregatedStatus: status,
    Service: localService(service, node.record.datacenter),
    Checks: checks.map((check) => localCheck(node, check)),
  };
  return { status, body };
}
