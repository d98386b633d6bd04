import { NODE_MAINTENANCE, serviceMaintenance, type CheckRecord } from '../registry/index.ts';

/** Consul's maintenance check for a node or one of its services, with its own default texts. */
export function maintenanceCheck(serviceId: string | null, reason: string, nowMs: number): CheckRecord {
  const what = serviceId === null ? 'node' : 'service';
  const standard = `Maintenance mode is enabled for this ${what}, but no reason was provided. This is a default message.`;
  return {
    id: serviceId === null ? NODE_MAINTENANCE : serviceMaintenance(serviceId),
    name: serviceId === null ? 'Node Maintenance Mode' : 'Service Maintenance Mode',
    serviceId: serviceId ?? '',
    status: 'critical',
    output: '',
    notes: reason === '' ? standard : reason,
    type: 'maintenance',
    interval: '',
    timeout: '',
    definition: {},
    since: new Date(nowMs).toISOString(),
  };
}
