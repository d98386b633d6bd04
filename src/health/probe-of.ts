import type { CheckDefinition } from '../definition/index.ts';
import type { Clock, RunProcess } from '../lib/index.ts';
import { type CheckKind, checkKind } from './check-kind.ts';
import { httpProbe } from './http-probe.ts';
import { scriptProbe } from './script-probe.ts';
import { tcpProbe } from './tcp-probe.ts';
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

type MakeProbe = (definition: CheckDefinition, tools: ProbeTools) => Probe;

/** Kinds that few agents have are read when the first of them runs. */
function lazily(load: () => Promise<MakeProbe>): MakeProbe {
  return (definition, tools) => {
    let probe: Promise<Probe> | null = null;
    return async (signal) => {
      probe ??= load().then((make) => make(definition, tools));
      try {
        return await (
          await probe
        )(signal);
      } catch (error) {
        // Probes do not throw: it could not be read, which the next run tries again.
        probe = null;
        throw error;
      }
    };
  };
}

const PROBES: Readonly<Record<ProbeKind, MakeProbe>> = {
  script: scriptProbe,
  http: httpProbe,
  tcp: tcpProbe,
  udp: lazily(async () => (await import('./udp-probe.ts')).udpProbe),
  grpc: lazily(async () => (await import('./grpc-probe.ts')).grpcProbe),
  h2ping: lazily(async () => (await import('./h2ping-probe.ts')).h2pingProbe),
  docker: lazily(async () => (await import('./docker-probe.ts')).dockerProbe),
  os_service: lazily(async () => (await import('./os-service-probe.ts')).osServiceProbe),
};

/** The probe of a check that is run. @throws HEALTH_INVALID_CHECK */
export function probeOf(definition: CheckDefinition, tools: ProbeTools): Probe {
  return PROBES[checkKind(definition) as ProbeKind](definition, tools);
}
