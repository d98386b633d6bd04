import { z } from 'zod';

const digests = z.record(z.string(), z.string());
const inputs = z.object({
  services: z.record(
    z.string(),
    z.object({ digest: z.string(), definition: z.string(), environment: z.string(), assigned: z.boolean() }),
  ),
  membership: digests.nullable(),
  hash: z.string(),
});
const causes = z.array(z.string());

/** A change that no run has taken up yet. */
const wanted = z.object({
  hash: z.string(),
  causes,
  /** When the first and the last change came. */
  firstAt: z.number(),
  lastAt: z.number(),
});

/** A run that was asked for, whatever the hash; `skipSettle` starts it as soon as no other runs. */
const forced = z.object({ cause: z.string(), skipSettle: z.boolean() });

const running = z.object({
  id: z.string(),
  /** Of the view at the start. */
  inputs,
  hash: z.string(),
  revision: z.number(),
  /** The latest revision that wanted nothing beyond what this run started with. */
  covers: z.number(),
  causes,
  /** Wall-clock ms. */
  startedAt: z.number(),
  /** What it was started for, in case it turns out that it never was. */
  wanted: wanted.nullable(),
  forced: forced.nullable(),
});

const failed = z.object({
  inputs,
  causes,
  /** Failures in a row with these inputs; 0 once they changed. */
  count: z.number(),
  /** The back-off counts from here. */
  at: z.number(),
  reason: z.string(),
});

const run = z.object({
  id: z.string(),
  hash: z.string(),
  revision: z.number(),
  causes,
  /** ISO times. */
  startedAt: z.string(),
  endedAt: z.string(),
  /** null when a signal ended it or its end was not seen. */
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  succeeded: z.boolean(),
  /** In people's words: `exit 3`, `time limit`, `killed by SIGKILL`, `lost`. */
  result: z.string(),
  logFile: z.string(),
});

const state = z.object({
  version: z.literal(1),
  enabled: z.boolean(),
  /** What the last successful run saw, with what came since and needs no run. */
  done: inputs.nullable(),
  wanted: wanted.nullable(),
  forced: forced.nullable(),
  running: running.nullable(),
  /** Set from a failed run until one succeeds: the node may be half provisioned, so any inputs want a run. */
  failed: failed.nullable(),
  lastStartAt: z.number().nullable(),
  /** How many runs ended, ever. */
  runs: z.number(),
  /** The latest runs, newest first. */
  history: z.array(run),
});

type Frozen<T> = { readonly [K in keyof T]: T[K] };

export type Wanted = Frozen<z.infer<typeof wanted>>;
export type Forced = Frozen<z.infer<typeof forced>>;
export type Running = Frozen<z.infer<typeof running>>;
export type Failed = Frozen<z.infer<typeof failed>>;
/** One run that ended, as `GET /v2/provisions` lists it. */
export type ProvisionRun = Frozen<z.infer<typeof run>>;
/** All that a listener knows. Moments (`…At` numbers but `startedAt`) are on the monotonic clock in memory, wall time on disk. */
export type ListenerState = Frozen<z.infer<typeof state>>;

/** A node that never ran anything. */
export const INITIAL_STATE: ListenerState = Object.freeze({
  version: 1,
  enabled: true,
  done: null,
  wanted: null,
  forced: null,
  running: null,
  failed: null,
  lastStartAt: null,
  runs: 0,
  history: [],
});

/** Throws when it is not a state that a listener wrote. */
export function parseState(value: unknown): ListenerState {
  return state.parse(value);
}

/** The state with every moment translated, from one clock to another. */
export function mapMoments(from: ListenerState, translate: (moment: number) => number): ListenerState {
  const ofWanted = (one: Wanted | null): Wanted | null =>
    one && { ...one, firstAt: translate(one.firstAt), lastAt: translate(one.lastAt) };
  return {
    ...from,
    wanted: ofWanted(from.wanted),
    running: from.running && { ...from.running, wanted: ofWanted(from.running.wanted) },
    failed: from.failed && { ...from.failed, at: translate(from.failed.at) },
    lastStartAt: from.lastStartAt === null ? null : translate(from.lastStartAt),
  };
}
