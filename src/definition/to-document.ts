import { formatGoDuration } from '../lib/index.ts';
import type { CheckDefinition, Definition } from './definition.ts';
import { withoutUndefined } from './plain.ts';

/**
 * The definition in the form of a service file, for `service:show` and for sending it: `parseDefinition` gives the same definition again. What has its
 * default value is left out; what the defaults filled in (a check, the protocol) is spelled out where parsing would not fill it in.
 */
export function toServiceDocument(definition: Definition): Readonly<Record<string, unknown>> {
  const { federation, incarnation, extra } = definition;
  return withoutUndefined({
    id: definition.id,
    command: definition.command,
    run_list: filled(definition.runList),
    environment: filled(definition.environment),
    requires: requiresOf(definition),
    provides: filled(definition.provides),
    local_port: definition.localPort ?? undefined,
    protocol: definition.protocol,
    bind: definition.bind === 'any' ? undefined : definition.bind,
    panic: definition.panic === 'empty' ? undefined : definition.panic,
    public: definition.public || undefined,
    hosts: filled(definition.hosts),
    federation: federation === 'default' ? undefined : federation,
    shared: definition.shared || undefined,
    checks: definition.checks.map(toCheckDocument),
    meta: filled(definition.meta),
    incarnation: incarnation ?? undefined,
    run: extra['run'],
    regions: extra['regions'],
  });
}

function filled<T extends object>(value: T): T | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}

function requiresOf({ requires, requiresServices }: Definition): unknown {
  if (requiresServices.length === 0) return filled(requires);
  return Object.keys(requires).length === 0 ? requiresServices : [...requiresServices, requires];
}

function toCheckDocument(check: CheckDefinition): Readonly<Record<string, unknown>> {
  return withoutUndefined({
    id: check.id,
    name: check.name,
    service_id: check.serviceId,
    notes: check.notes,
    http: check.http,
    method: check.method,
    header: check.header,
    body: check.body,
    tls_skip_verify: check.tlsSkipVerify,
    tls_server_name: check.tlsServerName,
    disable_redirects: check.disableRedirects,
    tcp: check.tcp,
    tcp_use_tls: check.tcpUseTls,
    udp: check.udp,
    grpc: check.grpc,
    grpc_use_tls: check.grpcUseTls,
    h2ping: check.h2ping,
    h2ping_use_tls: check.h2pingUseTls,
    docker_container_id: check.dockerContainerId,
    shell: check.shell,
    os_service: check.osService,
    alias_service: check.aliasService,
    alias_node: check.aliasNode,
    ttl: duration(check.ttlMs),
    args: check.args,
    script: check.script,
    interval: duration(check.intervalMs),
    timeout: duration(check.timeoutMs),
    status: check.initialStatus,
    success_before_passing: check.successBeforePassing,
    failures_before_warning: check.failuresBeforeWarning,
    failures_before_critical: check.failuresBeforeCritical,
    deregister_critical_service_after: duration(check.deregisterCriticalServiceAfterMs),
    output_max_size: check.outputMaxSize,
  });
}

function duration(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatGoDuration(ms);
}
