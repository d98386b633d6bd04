// `npm start`: the documents' system on this machine. Starts the example's programs and an agent, applies the
// definitions, shows what runs where, and follows the changes until Ctrl-C, which stops everything it started.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverClient } from '../client/src/index.ts';
import { loadDatastores, loadDefinitions, toServiceDocument } from '../src/definition/index.ts';
import { describeHolder, findPortHolder } from '../src/lib/index.ts';
import { AgentProcess } from './example/agent-process.ts';
import { followChanges } from './example/change-lines.ts';
import { Control } from './example/control.ts';
import { greeting } from './example/greeting.ts';
import { ADDRESS, EXAMPLE, PORTS, STAND_INS, STATE } from './example/layout.ts';
import { cleanUpLeftovers, ProcessTable } from './example/process-table.ts';
import { StandIns } from './example/stand-ins.ts';

const HEALTHY_MS = 15_000;
const RESTART_MS = 1_000;

const client = new DroverClient({ address: ADDRESS });
const print = (line: string): void => console.log(line);

await main().catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const stop = stopSignal();
  await prepare();
  const table = new ProcessTable();
  const standIns = new StandIns(table);
  const control = new Control(standIns, client);
  let agent: AgentProcess | null = null;
  try {
    const early = STAND_INS.filter((one) => one.environment === undefined);
    const [started] = await Promise.all([
      AgentProcess.start(client, table),
      ...early.map((one) => standIns.start(one)),
    ]);
    agent = started;
    await declare();
    for (const one of STAND_INS) await standIns.start(one);
    await control.listen();
    await untilHealthy(stop);
    const status = await client.status();
    for (const line of greeting(status, await client.services(), hasHaproxy())) print(line);
    agent = await follow(agent, table, status.revision, stop);
  } finally {
    control.close();
    print('stopping');
    await standIns.endAll();
    await agent?.stop();
    await cleanUpLeftovers();
    table.finish();
  }
}

function stopSignal(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => abort.abort());
  return abort.signal;
}

async function prepare(): Promise<void> {
  for (const left of await cleanUpLeftovers()) print(`cleaned up after an earlier run: ${left}`);
  if (process.argv.includes('--fresh')) rmSync(STATE, { recursive: true, force: true });
  mkdirSync(STATE, { recursive: true, mode: 0o700 });
  const taken = await Promise.all(
    PORTS.map(async ({ host, port, for: wanted }) => {
      const holder = await findPortHolder(host, port);
      return holder === null ? null : `${host}:${port}, wanted for ${wanted}, is held by ${describeHolder(holder)}`;
    }),
  );
  const problems = taken.filter((one) => one !== null);
  if (problems.length > 0)
    throw new Error(`ports are taken:\n  ${problems.join('\n  ')}\nstop those programs and start again`);
}

/** Applies the definitions, and the datastores that are not there yet: a value that was changed stays changed. */
async function declare(): Promise<void> {
  const loaded = await loadDefinitions([path.join(EXAMPLE, 'data_bags/service')]);
  const known = new Set((await client.datastores()).map((one) => one.name));
  for (const { name, value, federation } of await loadDatastores(path.join(EXAMPLE, 'datastores.json'))) {
    if (!known.has(name)) await client.setDatastore(name, value, { federation });
  }
  await client.applyDefinitions(loaded.definitions.map((one) => toServiceDocument(one.definition)));
}

async function untilHealthy(stop: AbortSignal): Promise<void> {
  const deadline = Date.now() + HEALTHY_MS;
  while (!stop.aborted && Date.now() < deadline) {
    const services = await client.services();
    if (services.length > 0 && services.every((one) => one.health === 'passing')) return;
    await sleep(50);
  }
}

/** Follows the changes until told to stop; an agent that dies is started again, as its supervisor would. */
async function follow(
  first: AgentProcess,
  table: ProcessTable,
  after: number,
  stop: AbortSignal,
): Promise<AgentProcess> {
  let agent = first;
  while (!stop.aborted) {
    const stopped = new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
    const watching = new AbortController();
    const changes = followChanges(client, after, print, AbortSignal.any([stop, watching.signal])).catch(
      () => undefined,
    );
    await Promise.race([agent.ended, stopped]);
    watching.abort();
    await changes;
    if (stop.aborted) break;
    print('the agent ended; what it started runs on. Starting it again');
    await sleep(RESTART_MS);
    agent = await AgentProcess.start(client, table);
    after = (await client.status()).revision;
  }
  return agent;
}

function hasHaproxy(): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((folder) => existsSync(path.join(folder, 'haproxy')));
}
