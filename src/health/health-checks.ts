import type { CheckDefinition } from '../definition/index.ts';
import { type Clock, type RunProcess, Slots, type Timing, fingerprint, runProcess } from '../lib/index.ts';
import type { CheckRecord } from '../registry/index.ts';
import { type AliasTargets, NO_TARGETS } from './alias-target.ts';
import { AliasWatch } from './alias-watch.ts';
import { checkKind, runsCommand } from './check-kind.ts';
import { type CheckBasics, newRecord } from './check-record.ts';
import { type CriticalTooLong, CriticalWatch } from './critical-watch.ts';
import { duplicateCheck, notTtlCheck, remoteScriptsDisabled, scriptsDisabled, unknownCheck } from './errors.ts';
import { type Observe, ProbeLoop } from './probe-loop.ts';
import { probeOf } from './probe-of.ts';
import { safeEnvironment } from './safe-environment.ts';
import { TransitionGate } from './transition-gate.ts';
import { TtlClock } from './ttl-clock.ts';

const SCRIPTS_AT_ONCE = 32;
/** Consul's shortest DeregisterCriticalServiceAfter. */
const LEAST_CRITICAL_MS = 60_000;

export interface HealthChecksOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly timing: Pick<Timing, 'checkDampingMs'>;
  /** A check's status changed; damped. Changes of output alone are not told. */
  readonly onTransition: (check: CheckRecord) => void;
  /** A service should be deregistered: a check of it was critical for its `DeregisterCriticalServiceAfter`. */
  readonly onCriticalTooLong?: (service: CriticalTooLong) => void;
  /** How the targets of aliases are; nothing is known of any unless told. */
  readonly targets?: AliasTargets;
  /** Checks that run commands, also in containers: from anywhere, from the agent's own files only, or not at all. */
  readonly scripts: 'allowed' | 'local' | 'refused';
  /** The agent's environment: scripts see a safe part of it, and it names the Docker engine. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A callback threw; the checks go on. */
  readonly onError?: (error: unknown) => void;
  readonly run?: RunProcess;
  readonly scriptsAtOnce?: number;
  readonly leastCriticalMs?: number;
}

/** A check to run: what names it (a `CheckRecord` will do), how it finds out, and what it was before a restart. */
export interface CheckToRun extends CheckBasics {
  readonly definition: CheckDefinition;
  /** The last known record: its status and output stay until the first result. */
  readonly previous?: CheckRecord;
  /** Where the definition came from; `local` (the agent's files) unless told. */
  readonly origin?: 'local' | 'remote';
}

type Activity = ProbeLoop | TtlClock | AliasWatch;

interface Kept {
  readonly definition: CheckDefinition;
  readonly activity: Activity;
  record: CheckRecord;
}

/** The checks of one node: runs them, keeps their records, tells of changes of status. */
export class HealthChecks implements AsyncDisposable {
  readonly #options: HealthChecksOptions;
  readonly #env: Readonly<Record<string, string>>;
  readonly #slots: Slots;
  readonly #gate: TransitionGate;
  readonly #critical: CriticalWatch;
  readonly #checks = new Map<string, Kept>();
  readonly #stopping = new Set<Promise<void>>();

  private constructor(options: HealthChecksOptions) {
    const { clock, timing } = options;
    this.#options = options;
    this.#env = safeEnvironment(options.environment);
    this.#slots = new Slots(options.scriptsAtOnce ?? SCRIPTS_AT_ONCE);
    this.#gate = new TransitionGate({
      clock,
      dampingMs: timing.checkDampingMs,
      send: (check) => this.#tell(() => options.onTransition(check)),
    });
    this.#critical = new CriticalWatch({
      clock,
      leastMs: options.leastCriticalMs ?? LEAST_CRITICAL_MS,
      report: (service) => this.#tell(() => options.onCriticalTooLong?.(service)),
    });
  }

  static async start(options: HealthChecksOptions): Promise<HealthChecks> {
    return new HealthChecks(options);
  }

  /**
   * Whether a check would be taken; changes nothing.
   *
   * @throws HEALTH_INVALID_CHECK, HEALTH_SCRIPTS_DISABLED, HEALTH_REMOTE_SCRIPTS_DISABLED
   */
  vet({ definition, origin = 'local' }: Pick<CheckToRun, 'definition' | 'origin'>): void {
    if (!runsCommand(definition) || this.#options.scripts === 'allowed') return;
    if (this.#options.scripts === 'refused') throw scriptsDisabled();
    if (origin === 'remote') throw remoteScriptsDisabled();
  }

  /**
   * Begins a check and returns its record, which belongs into the registration: only later changes are told.
   *
   * @throws HEALTH_INVALID_CHECK, HEALTH_SCRIPTS_DISABLED, HEALTH_REMOTE_SCRIPTS_DISABLED, HEALTH_DUPLICATE_CHECK
   */
  add(check: CheckToRun): CheckRecord {
    const { id, definition, previous } = check;
    if (this.#checks.has(id)) throw duplicateCheck(id);
    this.vet(check);
    const fresh = newRecord(check, definition, this.#options.clock);
    const record = previous === undefined ? fresh : adopt(fresh, previous);
    this.#gate.admit(id, record.status);
    this.#checks.set(id, { definition, record, activity: this.#begin(definition, record) });
    this.#noteCritical(record, definition);
    return record;
  }

  /**
   * Gives a check another definition, keeping its status and output until the next result; the same definition changes
   * nothing but names and notes, and a check that is not there is added.
   *
   * @throws as `add`, and then leaves the check as it was.
   */
  replace(check: CheckToRun): CheckRecord {
    const kept = this.#checks.get(check.id);
    if (kept === undefined) return this.add(check);
    this.vet(check);
    const fresh = newRecord(check, check.definition, this.#options.clock);
    const record = fresh.type === kept.record.type ? adopt(fresh, kept.record) : fresh;
    if (fingerprint(check.definition) === fingerprint(kept.definition)) return (kept.record = record);
    this.remove(check.id);
    return this.add({ ...check, previous: record });
  }

  /** Ends a check and what runs of it; false when there is none. */
  remove(id: string): boolean {
    const kept = this.#checks.get(id);
    if (kept === undefined) return false;
    this.#checks.delete(id);
    this.#gate.forget(id);
    this.#critical.forget(id);
    const stopping = kept.activity.stop().finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
    return true;
  }

  /** Every check as it is now, with its latest output, in the order of their ids. */
  records(): CheckRecord[] {
    return [...this.#checks.values()].map(({ record }) => record).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  record(id: string): CheckRecord | undefined {
    return this.#checks.get(id)?.record;
  }

  /**
   * Sets a TTL check and restarts its clock.
   *
   * @throws HEALTH_UNKNOWN_CHECK, HEALTH_NOT_TTL
   */
  updateTtl(id: string, status: 'passing' | 'warning' | 'critical', output: string): void {
    const kept = this.#checks.get(id);
    if (kept === undefined) throw unknownCheck(id);
    if (!(kept.activity instanceof TtlClock)) throw notTtlCheck(id);
    kept.activity.update(status, output);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gate.close();
    this.#critical.close();
    for (const id of this.#checks.keys()) this.remove(id);
    await Promise.all(this.#stopping);
  }

  #begin(definition: CheckDefinition, { id, serviceId, status }: CheckRecord): Activity {
    const { clock, targets = NO_TARGETS } = this.#options;
    const observe: Observe = (seen) => this.#observe(id, seen);
    const kind = checkKind(definition);
    if (kind === 'ttl') return new TtlClock({ definition, clock, observe });
    if (kind === 'alias') return new AliasWatch({ definition, targets, self: { id, serviceId }, observe });
    return this.#loop(definition, status, observe);
  }

  #loop(definition: CheckDefinition, status: CheckRecord['status'], observe: Observe): ProbeLoop {
    const { clock, random, environment, run = runProcess } = this.#options;
    const slots = runsCommand(definition) ? { slots: this.#slots } : {};
    const probe = probeOf(definition, { clock, run, environment, env: this.#env });
    const count = this.#checks.size + 1;
    return new ProbeLoop({ definition, probe, status, observe, clock, random, count, ...slots });
  }

  #observe(id: string, seen: { readonly status: CheckRecord['status']; readonly output: string }): void {
    const kept = this.#checks.get(id);
    if (kept === undefined) return;
    const changed = seen.status !== kept.record.status;
    const since = changed ? new Date(this.#options.clock.wall()).toISOString() : kept.record.since;
    kept.record = { ...kept.record, ...seen, since };
    if (!changed) return;
    this.#noteCritical(kept.record, kept.definition);
    this.#gate.offer(kept.record);
  }

  /** A check goes on whatever its listener does. */
  #tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  #noteCritical({ id, serviceId, status }: CheckRecord, { deregisterCriticalServiceAfterMs }: CheckDefinition): void {
    this.#critical.note({ serviceId, checkId: id }, status, deregisterCriticalServiceAfterMs);
  }
}

function adopt(fresh: CheckRecord, previous: CheckRecord): CheckRecord {
  return { ...fresh, status: previous.status, output: previous.output, since: previous.since };
}
