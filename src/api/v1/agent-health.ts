import type { InstanceRecord } from '../../registry/index.ts';
import type { LocalNode } from '../local-node.ts';
import { json, type V1Answer, type V1Request } from './exchange.ts';
import { demandService } from './local-demands.ts';
import { localCheck, localService } from './local-wire.ts';
import { argumentOf } from './on-node.ts';
import { aggregate, type Aggregate, type WireCheck } from './wire-checks.ts';

const STATUS: Readonly<Record<Aggregate, number>> = { passing: 200, warning: 429, critical: 503, maintenance: 503 };
const WORST_FIRST: readonly Aggregate[] = ['maintenance', 'critical', 'warning', 'passing'];

interface ServiceHealth {
  readonly AggregatedStatus: Aggregate;
  readonly Service: Record<string, unknown>;
  readonly Checks: readonly WireCheck[];
}

/** `/agent/health/service/id/:id`: the answer's status says the health. */
export function healthById(node: LocalNode, request: V1Request): V1Answer {
  const id = argumentOf(request, 'service ID');
  demandService(request.authority, node, id, 'read');
  const service = node.services().find((one) => one.id === id);
  if (service === undefined) {
    if (wantsText(request)) return { status: 404, text: `ServiceId ${id} not found` };
    return json({ AggregatedStatus: 'critical', Service: null, Checks: null }, 404);
  }
  const health = healthOf(node, service);
  return answer(request, health.AggregatedStatus, health);
}

/** `/agent/health/service/name/:name`: all instances of the name; the worst gives the status. */
export function healthByName(node: LocalNode, request: V1Request): V1Answer {
  const name = argumentOf(request, 'service name');
  request.authority.demand('service', name, 'read');
  const all = node.services().filter((one) => one.service === name);
  if (all.length === 0)
    return wantsText(request) ? { status: 404, text: `ServiceName ${name} not found` } : json([], 404);
  const found = all.map((service) => healthOf(node, service));
  const worst = WORST_FIRST.find((status) => found.some((one) => one.AggregatedStatus === status)) ?? 'passing';
  return answer(request, worst, found);
}

function answer(request: V1Request, status: Aggregate, body: unknown): V1Answer {
  return wantsText(request) ? { status: STATUS[status], text: status } : json(body, STATUS[status]);
}

function wantsText({ query, headers }: V1Request): boolean {
  return query.get('format') === 'text' || headers.accept === 'text/plain';
}

function healthOf(node: LocalNode, service: InstanceRecord): ServiceHealth {
  const checks = node.checks().filter((check) => check.serviceId === service.id || check.serviceId === '');
  return {
    AggregatedStatus: aggregate(checks),
    Service: localService(service, node.record.datacenter),
    Checks: checks.map((check) => localCheck(node, check)),
  };
}
