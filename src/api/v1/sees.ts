import type { Authority } from '../../access/index.ts';
import type { Instance } from '../../registry/index.ts';
import type { WireCheck } from './wire-checks.ts';

/** Whoever sees an instance may read both its service and its node (consul-http-api 13). */
export function seesInstance(authority: Authority, { record, node }: Instance): boolean {
  return authority.allows('service', record.service, 'read') && authority.allows('node', node.record.name, 'read');
}

/** A check is seen with its node and, when it belongs to one, its service. */
export function seesCheck(authority: Authority, { Node, ServiceID, ServiceName }: WireCheck): boolean {
  if (!authority.allows('node', Node, 'read')) return false;
  return ServiceID === '' || authority.allows('service', ServiceName, 'read');
}

/** At the agent itself a service's check is seen with the service alone. */
export function seesLocalCheck(authority: Authority, { Node, ServiceID, ServiceName }: WireCheck): boolean {
  return ServiceID === '' ? authority.allows('node', Node, 'read') : authority.allows('service', ServiceName, 'read');
}
