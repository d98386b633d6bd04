import path from 'node:path';
import { openHaproxyFiles } from '../src/balancer/haproxy-files.ts';
import { RuntimeClient } from '../src/balancer/runtime.ts';
import { isInRotation, type RuntimeServer } from '../src/balancer/servers-state.ts';
import { parseDefinition } from '../src/definition/index.ts';
import { systemClock } from '../src/lib/index.ts';
import { startTestRegistry } from '../src/registry/testing.ts';
import { SqliteStore } from '../src/store/index.ts';
import { freePorts } from '../test/integration/balancer-fixture.ts';
import { findComponent } from '../test/require-component.ts';
import { AgentProcess } from './agent-process.ts';
import { HttpClient } from './http-client.ts';
import { percentile, rounded, type BenchOptions, type BenchResult } from './result.ts';

const NAME = 'from a registration to HAProxy';
const BOUND_MS = 100;
const BOUND = `request sent → HAProxy’s runtime shows the member, or shows it out: p99 ≤ ${BOUND_MS} ms`;
const ROUNDS = 200;
const STANDING = 10;
/** Longer than any bound: then something is wrong. */
const GIVE_UP_MS = 10_000;

/** A real agent with a balancer: how long from a request to its API until HAProxy, asked by somebody else, does what it says. */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  if (findComponent('haproxy') === null)
    return { name: NAME, bound: BOUND, rows: [{ skipped: 'haproxy is not installed' }], ok: false };
  const [port = 0] = await freePorts(1);
  await using agent = await startAgent(port);
  using http = new HttpClient(agent.started.httpPort);
  const { adminSocket } = await openHaproxyFiles(path.join(agent.nodeDirectory('edge'), 'balancer'));
  const runtime = new RuntimeClient({ socket: adminSocket, clock: systemClock });
  const guests = new Guests(http, runtime);
  await guests.untilRunning();
  for (let at = 0; at < STANDING; at++) await guests.add(`standing-${at}`, 20_000 + at);
  await guests.rounds(5);
  guests.forget();
  await guests.rounds(quick ? 10 : ROUNDS);
  const rows = guests.rows();
  return { name: NAME, bound: BOUND, rows, ok: rows.every((row) => row.p99Ms <= BOUND_MS) };
}

interface Row extends Record<string, string | number> {
  readonly p99Ms: number;
}

/** Instances of the balanced service that come and go through the API. */
class Guests {
  readonly #http: HttpClient;
  readonly #runtime: RuntimeClient;
  readonly #times = new Map<string, number[]>();

  constructor(http: HttpClient, runtime: RuntimeClient) {
    this.#http = http;
    this.#runtime = runtime;
  }

  /** The agent starts HAProxy beside everything else. */
  untilRunning(): Promise<void> {
    return this.#until('anything', () =>
      this.#runtime.pid().then(
        () => true,
        () => false,
      ),
    );
  }

  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) {
      const [leaver, resting] = [30_000 + (round % 10_000), 40_000 + (round % 10_000)];
      await this.add(`leaver-${round}`, leaver);
      await this.#clock('deregistered', `deregister/leaver-${round}`, undefined, () => this.#shows(leaver, false));
      await this.add(`resting-${round}`, resting);
      const maintenance = `maintenance/resting-${round}?enable=true&reason=bench`;
      await this.#clock('in maintenance', maintenance, undefined, () => this.#shows(resting, false));
      await this.#put(`deregister/resting-${round}`);
    }
  }

  add(id: string, port: number): Promise<void> {
    const body = { ID: id, Name: 'api', Address: '127.0.0.1', Port: port };
    return this.#clock('registered', 'register', body, () => this.#shows(port, true));
  }

  /** Leaves out what was measured so far. */
  forget(): void {
    this.#times.clear();
  }

  rows(): Row[] {
    return [...this.#times].map(([what, times]) => ({
      what,
      rounds: times.length,
      p50Ms: rounded(percentile(times, 0.5)),
      p99Ms: rounded(percentile(times, 0.99)),
      maxMs: rounded(Math.max(...times)),
    }));
  }

  async #clock(what: string, call: string, body: object | undefined, isSo: () => Promise<boolean>): Promise<void> {
    const begun = performance.now();
    // Asked all the while, not only after the 200: the member may well be there before it.
    await Promise.all([this.#put(call, body), this.#until(what, isSo)]);
    const times = this.#times.get(what) ?? [];
    this.#times.set(what, [...times, performance.now() - begun]);
  }

  #put(call: string, body?: object): Promise<void> {
    const query = `${call.includes('?') ? '&' : '?'}node=apps`;
    return this.#http.put(`/v1/agent/service/${call}${query}`, body);
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + GIVE_UP_MS;
    while (!(await isSo())) {
      if (performance.now() > deadline) throw new Error(`not within ${GIVE_UP_MS} ms in HAProxy: ${what}`);
      await systemClock.sleep(1);
    }
  }

  async #shows(port: number, inRotation: boolean): Promise<boolean> {
    const has = (server: RuntimeServer): boolean => server.port === port && isInRotation(server);
    return (await this.#runtime.servers()).some(has) === inRotation;
  }
}

function startAgent(port: number): Promise<AgentProcess> {
  const balancer = { address: '127.0.0.1', on_stop: 'stop' };
  const environment = { directory: 'environment' };
  const nodes = [{ name: 'edge', runs: ['www'], balancer, environment }, { name: 'apps' }];
  return AgentProcess.start({ config: { nodes }, fillStore: (directory) => declare(directory, port) });
}

/** The service that is balanced, and one that requires it: neither has checks, so that a registration is all there is. */
async function declare(directory: string, port: number): Promise<void> {
  await using store = await SqliteStore.start({ directory });
  await using region = await startTestRegistry({ store, clock: systemClock });
  await region.registry.putDefinitions([
    parseDefinition({ id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, local_port: port, checks: [] }),
    parseDefinition({ id: 'www', requires: { API_URL: '{API_URL}' }, checks: [] }),
  ]);
}
