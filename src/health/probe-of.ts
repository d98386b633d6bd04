import type { CheckDefinition } from '../definition/index.ts';
import type { Clock, RunProcess } from '../lib/index.ts';
import { type CheckKind, checkKind } from './check-kind.ts';
import { dockerProbe } from './docker-probe.ts';
import { grpcProbe } from './grpc-probe.ts';
import { h2pingProbe } from './h2ping-probe.ts';
import { httpProbe } from './http-probe.ts';
import { osServiceProbe } from './os-service-probe.ts';
import { scriptProbe } from './script-probe.ts';
import { tcpProbe } from './tcp-probe.ts';
import { udpProbe } from './udp-probe.ts';
import type { Probe } from './verdict.ts';

/** What probes are made with. */
export interface ProbeTools {
  readonly clock: Clock;
  readonly run: RunProcess;
  /** What scripts see. */
  readonly env: Readonly<Record<string, string>>;
  /** The agent's own environment, which names the Docker engine. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Kinds that are run again and again; the others are told. */
export type ProbeKind = Exclude<CheckKind, 'ttl' | 'alias'>;

const PROBES: Readonly<Record<ProbeKind, (definition: CheckDefinition, tools: ProbeTools) => Probe>> = {
  script: scriptProbe,
  http: httpProbe,
  tcp: tcpProbe,
  udp: udpProbe,
  grpc: grpcProbe,
  h2ping: h2pingProbe,
  docker: dockerProbe,
  os_service: osServiceProbe,
};

/** The probe of a check that is run. @throws HEALTH_INVALID_CHECK */
export function probeOf(definition: CheckDefinition, tools: ProbeTools): Probe {
  return PROBES[checkKind(definition) as ProbeKind](definition, tools);
}
