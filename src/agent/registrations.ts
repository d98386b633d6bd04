import path from 'node:path';
import { ensureDirectory, openState, saveState } from '../lib/index.ts';
import type { CheckRecord, InstanceRecord } from '../registry/index.ts';
import type { RegisteredCheck, Source } from './registered-check.ts';

interface RegisteredService {
  readonly instance: InstanceRecord;
  readonly source: Source;
}

interface Kept {
  readonly version: 1;
  readonly services: readonly InstanceRecord[];
  readonly checks: readonly RegisteredCheck[];
  readonly maintenance: readonly CheckRecord[];
}

/** What is registered on one node, and what of it outlives the process. */
export class Registrations {
  readonly services = new Map<string, RegisteredService>();
  readonly checks = new Map<string, RegisteredCheck>();
  /** Maintenance checks by id: they are not run, they stand until lifted. */
  readonly maintenance = new Map<string, CheckRecord>();
  readonly #file: string;
  #saving: Promise<void> = Promise.resolve();

  private constructor(file: string) {
    this.#file = file;
  }

  /** Reads what the API registered before; a damaged file is put aside and reported through `warn`. */
  static async open(directory: string, warn: (text: string) => void): Promise<Registrations> {
    await ensureDirectory(directory);
    const registrations = new Registrations(path.join(directory, 'registrations.json'));
    const opened = await openState(registrations.#file, parseKept);
    if (opened.damaged) warn(`registrations were damaged (${opened.damaged.reason}); kept as ${opened.damaged.keptAs}`);
    for (const instance of opened.value?.services ?? []) {
      registrations.services.set(instance.id, { instance, source: 'api' });
    }
    for (const check of opened.value?.checks ?? []) registrations.checks.set(check.id, check);
    for (const check of opened.value?.maintenance ?? []) registrations.maintenance.set(check.id, check);
    return registrations;
  }

  /** The checks of a service, or of the node itself for an empty id. */
  checksOf(serviceId: string): RegisteredCheck[] {
    return [...this.checks.values()].filter((check) => check.serviceId === serviceId);
  }

  /** Forgets a service, its checks and its maintenance. Returns the ids of the checks. */
  removeService(id: string): string[] {
    this.services.delete(id);
    const checks = this.checksOf(id).map((check) => check.id);
    for (const check of checks) this.checks.delete(check);
    for (const [checkId, check] of this.maintenance) {
      if (check.serviceId === id) this.maintenance.delete(checkId);
    }
    return checks;
  }

  /** The state as it is now, to come back to with `restore`. */
  copy(): Registrations {
    const copy = new Registrations(this.#file);
    copy.restore(this);
    return copy;
  }

  /** Becomes what `other` is; nothing is written. */
  restore(other: Registrations): void {
    for (const key of ['services', 'checks', 'maintenance'] as const) {
      const mine = this[key] as Map<string, unknown>;
      mine.clear();
      for (const [id, value] of other[key]) mine.set(id, value);
    }
  }

  /** Writes what the API registered; writes follow each other, the last one has everything. */
  save(): Promise<void> {
    const next = this.#saving.catch(() => undefined).then(() => saveState(this.#file, this.#kept()));
    this.#saving = next;
    return next;
  }

  #kept(): Kept {
    return {
      version: 1,
      services: [...this.services.values()].filter((one) => one.source === 'api').map((one) => one.instance),
      checks: [...this.checks.values()].filter((check) => check.source === 'api'),
      maintenance: [...this.maintenance.values()],
    };
  }
}

function parseKept(value: unknown): Kept {
  const kept = value as Kept;
  if (kept.version !== 1) throw new Error(`unknown version ${String(kept.version)}`);
  if (![kept.services, kept.checks, kept.maintenance].every((list) => Array.isArray(list)))
    throw new Error('a list is missing');
  return kept;
}
