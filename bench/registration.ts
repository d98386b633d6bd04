import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AgentProcess } from './agent-process.ts';
import { DnsClient } from './dns-client.ts';
import { HttpClient } from './http-client.ts';
import { percentile, rounded, type BenchOptions, type BenchResult } from './result.ts';

const REGISTER = '/v1/agent/service/register';
/** Services that the node has, as a node in use has; what one more costs may depend on it. */
const STANDING = 20;
const BOUND = { p50: 1.5, p99: 3 };

/** The body of a registration, on Consul's wire. */
export interface Registration {
  readonly ID: string;
  readonly Name: string;
  readonly Address: string;
  readonly Port: number;
}

/** A real agent: whether DNS knows what a 200 said, and how long the 200 takes against a bare server on the same store. */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  await using agent = await AgentProcess.start({ config: { node_name: 'bench' } });
  await using bare = await startBare();
  using ours = new HttpClient(agent.started.httpPort);
  using baseline = new HttpClient(bare.port);
  await using dns = await DnsClient.start(agent.started.dnsPort);
  for (let at = 0; at < STANDING; at++) await ours.put(REGISTER, registrationOf(`standing-${at}`, at));

  const rounds = quick ? 50 : 2_000;
  await compare(ours, baseline, quick ? 10 : 200, 'warm');
  const times = await compare(ours, baseline, rounds, 'round');
  const rows = [
    await tryNames({ http: ours, dns, tries: quick ? 50 : 2_000, at: 1 }),
    await tryNames({ http: ours, dns, tries: quick ? 100 : 8_000, at: 16 }),
    latencyRow('new address', times.changed),
    latencyRow('new service', times.added),
  ];
  return {
    name: 'a registration: its 200, and DNS after it',
    bound: `no query after a 200 misses it; request → 200: p50 ≤ ${BOUND.p50}, p99 ≤ ${BOUND.p99} times a bare commit + PUT`,
    rows,
    ok: rows.every(holds),
  };
}

function holds(row: Readonly<Record<string, string | number>>): boolean {
  if ('misses' in row) return row['misses'] === 0 && row['unanswered'] === 0;
  return Number(row['p50 ratio']) <= BOUND.p50 && Number(row['p99 ratio']) <= BOUND.p99;
}

interface Tries {
  readonly http: HttpClient;
  readonly dns: DnsClient;
  readonly tries: number;
  /** How many clients register at once, each of them one after the other. */
  readonly at: number;
}

/** Registers and asks in the very turn in which the 200 came. Each name was asked before, so an old answer is there to be wrong. */
async function tryNames({ http, dns, tries, at }: Tries): Promise<Record<string, string | number>> {
  const found = { misses: 0, unanswered: 0 };
  let left = tries;
  const client = async (number: number): Promise<void> => {
    for (let turn = 0; left-- > 0; turn++) {
      // A new name, and at the next turn a new address for it.
      const name = `try-${at}-${number}-${turn >> 1}`;
      const one = registrationOf(name, turn * at + number);
      await dns.addresses(`${name}.service.consul`);
      await http.put(REGISTER, one);
      const addresses = await dns.addresses(`${name}.service.consul`);
      if (addresses === null) found.unanswered++;
      else if (addresses.join() !== one.Address) found.misses++;
      if (turn % 2 === 1) await http.put(`/v1/agent/service/deregister/${name}`);
    }
  };
  await Promise.all(Array.from({ length: at }, (_, number) => client(number)));
  return { what: `query after 200, ${at} at once`, tries, ...found };
}

interface Times {
  readonly ours: number[];
  readonly bare: number[];
}

/** One request to each in turn, who is first alternating; half of them change an instance, half add one. */
async function compare(
  ours: HttpClient,
  bare: HttpClient,
  rounds: number,
  prefix: string,
): Promise<{ changed: Times; added: Times }> {
  const changed: Times = { ours: [], bare: [] };
  const added: Times = { ours: [], bare: [] };
  for (let round = 0; round < rounds; round++) {
    const name = `${prefix}-${round}`;
    await timeBoth(ours, bare, registrationOf(`standing-${round % STANDING}`, round + STANDING), changed, round);
    await timeBoth(ours, bare, registrationOf(name, round), added, round);
    // Not clocked: the node stays as large as it is.
    await ours.put(`/v1/agent/service/deregister/${name}`);
  }
  return { changed, added };
}

async function timeBoth(
  ours: HttpClient,
  bare: HttpClient,
  body: Registration,
  times: Times,
  round: number,
): Promise<void> {
  const clocked = async (client: HttpClient, into: number[]): Promise<void> => {
    const begun = performance.now();
    await client.put(REGISTER, body);
    into.push(performance.now() - begun);
  };
  const both = [(): Promise<void> => clocked(ours, times.ours), (): Promise<void> => clocked(bare, times.bare)];
  for (const one of round % 2 === 0 ? both : both.toReversed()) await one();
}

function latencyRow(what: string, { ours, bare }: Times): Record<string, string | number> {
  const row: Record<string, string | number> = { what: `request → 200, ${what}`, tries: ours.length };
  for (const [name, part] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    const [mine, theirs] = [percentile(ours, part), percentile(bare, part)];
    Object.assign(row, { [`${name} ms`]: rounded(mine), [`bare ${name}`]: rounded(theirs) });
    row[`${name} ratio`] = rounded(mine / theirs);
  }
  return row;
}

/** Addresses differ from one number to the next, and names have one instance: the answer must be this address alone. */
function registrationOf(name: string, number: number): Registration {
  const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  return { ID: name, Name: name, Address: address, Port: 8_080 };
}

interface Bare extends AsyncDisposable {
  readonly port: number;
}

async function startBare(): Promise<Bare> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'bare-'));
  const child = fork(path.join(import.meta.dirname, 'registration-bare.ts'), [directory]);
  const exited = once(child, 'exit');
  const ended = exited.then(() => Promise.reject(new Error('the bare server ended')));
  const [port] = (await Promise.race([once(child, 'message'), ended])) as [number];
  ended.catch(() => undefined);
  const close = async (): Promise<void> => {
    child.disconnect();
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  return { port, [Symbol.asyncDispose]: close };
}
