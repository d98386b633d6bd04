/** Every interval of the system in ms (design 5). */
export interface Timing {
  readonly heartbeatMs: number;
  readonly suspectedAfterMs: number;
  readonly graceMs: number;
  readonly serverLeaseMs: number;
  readonly dutyLeaseMs: number;
  readonly reconnectJitterMs: number;
  /** A provision starts this long after the last change… */
  readonly listenerSettleMs: number;
  /** …and this long after the first at the latest. */
  readonly listenerMostMs: number;
  readonly listenerMinIntervalMs: number;
  readonly listenerBackoffMs: number;
  readonly listenerBackoffMaxMs: number;
  readonly drainCapMs: number;
  readonly checkDampingMs: number;
  /** Anti-entropy: a full comparison of what an agent registered with what the region holds. */
  readonly syncMs: number;
}

const lan: Timing = {
  heartbeatMs: 1_000,
  suspectedAfterMs: 3_000,
  graceMs: 10_000,
  serverLeaseMs: 10_000,
  dutyLeaseMs: 5_000,
  reconnectJitterMs: 5_000,
  listenerSettleMs: 500,
  listenerMostMs: 5_000,
  listenerMinIntervalMs: 10_000,
  listenerBackoffMs: 30_000,
  listenerBackoffMaxMs: 1_800_000,
  drainCapMs: 30_000,
  checkDampingMs: 1_000,
  syncMs: 60_000,
};

/** Presets as differences to `lan`: `local` for tests and one machine, `wan` for slow lines. */
export const TIMING: Readonly<Record<'local' | 'lan' | 'wan', Timing>> = Object.freeze({
  lan,
  local: {
    ...lan,
    heartbeatMs: 200,
    suspectedAfterMs: 600,
    graceMs: 2_000,
    serverLeaseMs: 2_000,
    dutyLeaseMs: 2_000,
    reconnectJitterMs: 200,
    listenerSettleMs: 150,
    listenerMinIntervalMs: 500,
    listenerBackoffMs: 500,
    listenerBackoffMaxMs: 5_000,
    drainCapMs: 3_000,
    checkDampingMs: 100,
    syncMs: 5_000,
  },
  wan: { ...lan, heartbeatMs: 3_000, suspectedAfterMs: 10_000, graceMs: 30_000, reconnectJitterMs: 15_000 },
});

export type TimingPreset = keyof typeof TIMING;
