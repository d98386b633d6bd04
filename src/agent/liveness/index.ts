export { AlarmState, type KnownAlarm, type PartitionAlarm } from './alarm-state.ts';
export { answerProbe } from './answer-probe.ts';
export type { Found } from './findings.ts';
export type { Liveness } from './liveness.ts';
export {
  startLiveness,
  startNodeReaper,
  type StartLivenessOptions,
  type StartNodeReaperOptions,
} from './start-liveness.ts';
export { tcpProbe, type TcpProbe } from './tcp-probe.ts';
