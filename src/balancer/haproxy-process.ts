import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, statSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { identifyProcess, isAlive, messageOf, openState, saveState, writeAtomically } from '../lib/index.ts';
import type { Clock, ProcessIdentity } from '../lib/index.ts';
import { configurationRefused, haproxyEnded, haproxyMissing, haproxySilent } from './errors.ts';
import { alertsIn, checkConfiguration } from './haproxy-binary.ts';
import type { HaproxyFiles } from './haproxy-files.ts';
import { killLeftovers, processesOf, signal } from './leftovers.ts';
import { parseRecord } from './haproxy-record.ts';
import type { HaproxyRecord } from './haproxy-record.ts';
import { parseShowProc } from './processes.ts';
import type { HaproxyProcesses } from './processes.ts';
import { RuntimeClient } from './runtime.ts';
import { parseSessions } from './sessions.ts';
import type { RuntimeSession } from './sessions.ts';

/** A configuration to run. */
export interface Configuration {
  readonly text: string;
  /** See `structureOf`. */
  readonly structure: string;
  /** What it listens on, such as `127.0.0.1:1100`. */
  readonly endpoints: readonly string[];
}

export interface HaproxyOptions {
  readonly files: HaproxyFiles;
  /** Looked up anew at each start, so that HAProxy may be installed later; null: it is not there. */
  readonly binary: () => string | null;
  readonly clock: Clock;
}

/** How long a start or a reload may take until the new worker answers. */
const READY_MS = 8_000;
const LOOK_EVERY_MS = 10;
const LEFTOVER_MS = 1_000;
const LOG_BYTES = 256 * 1024;

/** One HAProxy, master and workers, in a session of its own: it outlives this process and is adopted by the next. */
export class HaproxyProcess {
  readonly runtime: RuntimeClient;
  readonly #master: RuntimeClient;
  readonly #options: HaproxyOptions;
  #record: HaproxyRecord | null = null;

  private constructor(options: HaproxyOptions) {
    this.#options = options;
    this.runtime = new RuntimeClient({ socket: options.files.adminSocket, clock: options.clock });
    this.#master = new RuntimeClient({ socket: options.files.masterSocket, clock: options.clock });
  }

  /** Finds the HAProxy that an earlier process left running, by its record and by its master socket; starts none. */
  static async open(options: HaproxyOptions): Promise<HaproxyProcess> {
    const haproxy = new HaproxyProcess(options);
    const { value } = await openState(options.files.state, parseRecord);
    haproxy.#record = value !== null && isAlive(value.identity) ? value : ((await haproxy.#discover()) ?? value);
    return haproxy;
  }

  /** Its master, while it lives. */
  get pid(): number | null {
    return this.#alive()?.identity.pid ?? null;
  }

  /** The structure that its worker runs; null: none runs, or a reload was cut off half-way. */
  get structure(): string | null {
    return this.#alive()?.structure ?? null;
  }

  /** What it listens on; empty when none runs. */
  get endpoints(): readonly string[] {
    return this.#alive()?.endpoints ?? [];
  }

  /** What ran, was stopped by nobody and runs no more; null: there is no such thing. */
  async lost(): Promise<Configuration | null> {
    if (this.#record === null || this.#record.structure === null || this.pid !== null) return null;
    const { structure, endpoints } = this.#record;
    const text = await this.savedText();
    return text === null ? null : { text, structure, endpoints };
  }

  /** The file that a restart would read, or null. */
  savedText(): Promise<string | null> {
    return readFile(this.#options.files.configuration, 'utf8').catch(() => null);
  }

  /** Writes the file that a reload or restart would read, without either. */
  async save(text: string): Promise<void> {
    await writeAtomically(this.#options.files.configuration, text, { mode: 0o600, durable: false });
  }

  /** Kills what one that ended left behind, so that its ports are free; nothing while one runs. */
  async clear(): Promise<void> {
    if (this.pid !== null) return;
    killLeftovers(this.#options.files.configuration);
    await this.#gone(LEFTOVER_MS);
  }

  /** Starts it. Resolves when its worker answers. */
  async start(configuration: Configuration, signal?: AbortSignal): Promise<void> {
    const binary = await this.#check(configuration.text);
    const { files } = this.#options;
    await this.clear();
    await this.save(configuration.text);
    await Promise.all([rm(files.adminSocket, { force: true }), rm(files.masterSocket, { force: true })]);
    const identity = await this.#spawn(binary);
    await this.#remember({ identity, structure: null, endpoints: configuration.endpoints });
    await this.#untilReady(() => this.#answers(null), signal);
    await this.#remember({ identity, structure: configuration.structure, endpoints: configuration.endpoints });
  }

  /** Reloads it without losing a connection. Resolves when the new worker answers; refused: the old one goes on. */
  async reload(configuration: Configuration, signal?: AbortSignal): Promise<void> {
    await this.#check(configuration.text);
    const before = await this.processes();
    const record = this.#alive();
    const saved = await this.savedText();
    if (record === null) throw haproxyEnded('it ended before a reload');
    const { identity } = record;
    const endpoints = [...new Set([...record.endpoints, ...configuration.endpoints])];
    await this.#remember({ identity, structure: null, endpoints });
    await this.save(configuration.text);
    this.trimLog();
    const logged = this.#logSize();
    await this.#master.call('reload');
    try {
      await this.#untilReady(() => this.#answers(before), signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (saved !== null) await this.save(saved);
      await this.#remember(record);
      throw configurationRefused(alertsIn(this.#logText(logged)) || messageOf(error));
    }
    await this.#remember({ identity, structure: configuration.structure, endpoints: configuration.endpoints });
  }

  /** Says that what runs is not what was recorded. */
  async forgetStructure(): Promise<void> {
    const record = this.#alive();
    if (record !== null) await this.#remember({ ...record, structure: null });
  }

  /** Its processes, counted. @throws BALANCER_HAPROXY_SILENT */
  async processes(): Promise<HaproxyProcesses> {
    const processes = parseShowProc(await this.#master.call('show proc'));
    if (processes === null) throw haproxySilent(this.#master.socket, 'it does not list its processes');
    return processes;
  }

  /** Runs commands in the workers that earlier reloads left, whose sessions still count. */
  async runInOldWorkers(commands: readonly string[]): Promise<string> {
    const answers = [];
    for (const call of await this.#oldWorkers()) for (const command of commands) answers.push(await call(command));
    return answers.join('\n');
  }

  /**
   * Ends sessions in the workers that earlier reloads left, one by one: their proxies count as disabled, so that HAProxy
   * refuses there whatever is asked of a server.
   */
  async endOldSessions(isOver: (session: RuntimeSession) => boolean): Promise<void> {
    for (const call of await this.#oldWorkers()) {
      const over = parseSessions(await call('show sess')).filter(isOver);
      for (const { id } of over) await call(`shutdown session ${id}`);
    }
  }

  /** Ends it: what is in flight has `graceMs`, then it is told to end, then killed. */
  async stop(graceMs: number): Promise<void> {
    const { files } = this.#options;
    for (const [name, waitMs] of [
      ['SIGUSR1', graceMs],
      ['SIGTERM', 1_000],
      ['SIGKILL', 1_000],
    ] as const) {
      const pids = name === 'SIGKILL' ? processesOf(files.configuration) : [this.pid].filter((pid) => pid !== null);
      for (const pid of pids) signal(pid, name);
      if (await this.#gone(waitMs)) break;
    }
    this.#record = null;
    await Promise.all([files.state, files.adminSocket, files.masterSocket].map((file) => rm(file, { force: true })));
  }

  async #oldWorkers(): Promise<readonly ((command: string) => Promise<string>)[]> {
    const { oldWorkers } = await this.processes();
    return oldWorkers.map((pid) => (command) => this.#master.call(`@!${pid} ${command}`));
  }

  #alive(): HaproxyRecord | null {
    return this.#record !== null && isAlive(this.#record.identity) ? this.#record : null;
  }

  async #remember(record: HaproxyRecord): Promise<void> {
    this.#record = record;
    await saveState(this.#options.files.state, record, { durable: false });
  }

  /** One that was started by a process that was killed before it could record it answers on the master socket. */
  async #discover(): Promise<HaproxyRecord | null> {
    const processes = await this.processes().catch(() => null);
    const identity = processes === null ? null : identifyProcess(processes.master);
    if (identity === null) return null;
    const binds = ((await this.savedText()) ?? '').matchAll(/^ {2}bind (\S+)$/gm);
    return { identity, structure: null, endpoints: [...binds].map((match) => match[1] as string) };
  }

  async #check(text: string): Promise<string> {
    const { files, binary } = this.#options;
    const found = binary();
    if (found === null) throw haproxyMissing();
    await writeFile(files.candidate, text, { mode: 0o600 });
    const refusal = await checkConfiguration(found, files.candidate);
    if (refusal === null) {
      await rm(files.candidate, { force: true });
      return found;
    }
    await rename(files.candidate, files.refused);
    throw configurationRefused(refusal.replaceAll(`[${files.candidate}:`, `[haproxy.refused.cfg:`));
  }

  async #spawn(binary: string): Promise<ProcessIdentity> {
    const { files } = this.#options;
    const log = openSync(files.log, 'a', 0o600);
    try {
      ftruncateSync(log, 0);
      const args = ['-W', '-S', `${files.masterSocket},mode,600`, '-f', files.configuration];
      const child = spawn(binary, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
      await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      child.unref();
      const identity = identifyProcess(child.pid as number);
      if (identity === null) throw haproxyEnded(this.#lastWords(0));
      return identity;
    } finally {
      closeSync(log);
    }
  }

  /** True when a worker answers that was not there `before`. @throws BALANCER_CONFIGURATION_REFUSED */
  async #answers(before: HaproxyProcesses | null): Promise<boolean> {
    const now = await this.processes();
    const old = new Set(before?.workers);
    const fresh = now.workers.filter((pid) => !old.has(pid));
    if (before !== null && now.failedReloads > before.failedReloads) throw configurationRefused('reload failed');
    return fresh.length > 0 && fresh.includes(await this.runtime.pid());
  }

  async #untilReady(isReady: () => Promise<boolean>, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.now() + READY_MS;
    let last: unknown = null;
    while (clock.now() < deadline) {
      if (this.pid === null) throw haproxyEnded(this.#lastWords(0));
      const ready = await isReady().catch((error: unknown) => {
        if (isRefusal(error)) throw error;
        last = error;
        return false;
      });
      if (ready) return;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
    throw last ?? haproxySilent(this.#master.socket, `no new worker within ${READY_MS} ms`);
  }

  async #gone(withinMs: number): Promise<boolean> {
    const { clock, files } = this.#options;
    const deadline = clock.now() + withinMs;
    while (processesOf(files.configuration).length > 0) {
      if (clock.now() >= deadline) return false;
      await clock.sleep(LOOK_EVERY_MS);
    }
    return true;
  }

  #lastWords(from: number): string {
    const text = this.#logText(from);
    return alertsIn(text) || text.trim().split('\n').at(-1) || 'it ended without a word';
  }

  #logText(from: number): string {
    try {
      return readFileSync(this.#options.files.log).subarray(from).toString('utf8');
    } catch {
      return '';
    }
  }

  #logSize(): number {
    return statSync(this.#options.files.log, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Keeps the log bounded: each change of a member adds a line. HAProxy appends, so that cutting it leaves it usable. */
  trimLog(): void {
    if (this.#logSize() <= LOG_BYTES) return;
    const log = openSync(this.#options.files.log, 'a');
    ftruncateSync(log, 0);
    closeSync(log);
  }
}

function isRefusal(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === configurationRefused.code;
}
