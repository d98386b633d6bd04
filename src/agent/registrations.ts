import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ensureDirectory, messageOf } from '../lib/index.ts';
import type { CheckRecord, InstanceRecord } from '../registry/index.ts';
import { unusableDataDirectory } from './errors.ts';
import { Journal } from './journal.ts';
import type { RegisteredCheck, Source } from './registered-check.ts';
import { parseLine, type RegistrationLine } from './registration-line.ts';

export interface RegisteredService {
  readonly instance: InstanceRecord;
  readonly source: Source;
}

/** Lines from which the file is written anew, and how many times what is kept. */
const LEAST_REWRITE = 1_000;
const MOST_HISTORY = 4;

/**
 * What is registered on one node: services, checks and maintenance. What does not come from the agent's files is kept on
 * disk, so that it outlives the process.
 */
export class Registrations implements AsyncDisposable {
  readonly #services = new Map<string, RegisteredService>();
  readonly #checks = new Map<string, RegisteredCheck>();
  readonly #checksByService = new Map<string, Set<string>>();
  /** Maintenance checks by id: they are not run, they stand until lifted. */
  readonly #maintenance = new Map<string, CheckRecord>();
  readonly #journal: Journal<RegistrationLine> | null;
  #unsaved: RegistrationLine[] = [];

  private constructor(journal: Journal<RegistrationLine> | null) {
    this.#journal = journal;
  }

  /**
   * Reads what was registered before; what is damaged is put aside and reported through `warn`. Without a directory
   * nothing is kept.
   *
   * @throws AGENT_DATA_DIRECTORY
   */
  static async open(directory: string | null, warn: (text: string) => void): Promise<Registrations> {
    if (directory === null) return new Registrations(null);
    await ensureDirectory(directory).catch((error: unknown) => {
      throw unusableDataDirectory.with({ cause: error }, directory, messageOf(error));
    });
    const { journal, lines, damaged } = await Journal.open(path.join(directory, 'registrations.jsonl'), parseLine);
    if (damaged !== undefined) warn(`registrations were damaged (${damaged.reason}); kept as ${damaged.keptAs}`);
    const registrations = new Registrations(journal);
    for (const line of lines) registrations.#replay(line);
    registrations.#unsaved = [];
    return registrations;
  }

  get services(): ReadonlyMap<string, RegisteredService> {
    return this.#services;
  }

  get checks(): ReadonlyMap<string, RegisteredCheck> {
    return this.#checks;
  }

  get maintenance(): ReadonlyMap<string, CheckRecord> {
    return this.#maintenance;
  }

  /** The checks of a service, or of the node itself for an empty id. */
  checksOf(serviceId: string): RegisteredCheck[] {
    return [...(this.#checksByService.get(serviceId) ?? [])].map((id) => this.#checks.get(id) as RegisteredCheck);
  }

  setService(instance: InstanceRecord, source: Source): void {
    const { id } = instance;
    const before = this.#services.get(id);
    if (isDeepStrictEqual(before, { instance, source })) return;
    const wasKept = before?.source === 'api';
    this.#services.set(id, { instance, source });
    if (source === 'api') this.#unsaved.push({ service: instance });
    else if (wasKept) this.#unsaved.push({ gone: 'service', id });
  }

  setCheck(check: RegisteredCheck): void {
    const before = this.#checks.get(check.id);
    if (isDeepStrictEqual(before, check)) return;
    if (before !== undefined) this.#siblings(before.serviceId).delete(check.id);
    this.#checks.set(check.id, check);
    this.#siblings(check.serviceId).add(check.id);
    if (check.source !== 'config') this.#unsaved.push({ check });
    else if (before !== undefined && before.source !== 'config') this.#unsaved.push({ gone: 'check', id: check.id });
  }

  setMaintenance(check: CheckRecord): void {
    this.#maintenance.set(check.id, check);
    this.#unsaved.push({ maintenance: check });
  }

  /** Forgets a service with its checks and its maintenance. Returns the ids of the checks. */
  deleteService(id: string): string[] {
    if (this.#services.get(id)?.source === 'api') this.#unsaved.push({ gone: 'service', id });
    this.#services.delete(id);
    const checks = this.checksOf(id).map((check) => check.id);
    for (const check of checks) this.deleteCheck(check);
    for (const check of this.#maintenance.values()) if (check.serviceId === id) this.deleteMaintenance(check.id);
    return checks;
  }

  deleteCheck(id: string): boolean {
    const check = this.#checks.get(id);
    if (check === undefined) return false;
    this.#checks.delete(id);
    this.#siblings(check.serviceId).delete(id);
    if (check.source !== 'config') this.#unsaved.push({ gone: 'check', id });
    return true;
  }

  deleteMaintenance(id: string): boolean {
    if (!this.#maintenance.delete(id)) return false;
    this.#unsaved.push({ gone: 'maintenance', id });
    return true;
  }

  /** Resolves when all that is to be kept is on the disk. Rejects with the system's error. */
  async save(): Promise<void> {
    const lines = this.#unsaved;
    this.#unsaved = [];
    if (this.#journal === null) return;
    try {
      if (this.#isMostlyHistory()) await this.#journal.rewrite(this.#kept());
      else await this.#journal.append(lines);
    } catch (error) {
      this.#unsaved = [...lines, ...this.#unsaved];
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journal?.[Symbol.asyncDispose]();
  }

  #isMostlyHistory(): boolean {
    const { length } = this.#journal ?? { length: 0 };
    const kept = this.#services.size + this.#checks.size + this.#maintenance.size;
    return length > LEAST_REWRITE && length > MOST_HISTORY * kept;
  }

  #replay(line: RegistrationLine): void {
    if ('service' in line) this.setService(line.service, 'api');
    else if ('check' in line) this.setCheck(line.check);
    else if ('maintenance' in line) this.setMaintenance(line.maintenance);
    else if (line.gone === 'service') this.#services.delete(line.id);
    else if (line.gone === 'check') this.deleteCheck(line.id);
    else this.deleteMaintenance(line.id);
  }

  #kept(): RegistrationLine[] {
    return [
      ...this.#services.values().flatMap(({ instance, source }) => (source === 'api' ? [{ service: instance }] : [])),
      ...this.#checks.values().flatMap((check) => (check.source === 'config' ? [] : [{ check }])),
      ...this.#maintenance.values().map((maintenance) => ({ maintenance })),
    ];
  }

  #siblings(serviceId: string): Set<string> {
    const found = this.#checksByService.get(serviceId) ?? new Set();
    this.#checksByService.set(serviceId, found);
    return found;
  }
}
