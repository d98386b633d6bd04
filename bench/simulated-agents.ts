import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, TIMING } from '../src/lib/index.ts';
import { LinkPulse, NodeLink, openNodeChannel } from '../src/link/index.ts';
import type { NodeRegistration } from '../src/registry/index.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf } from '../src/registry/testing.ts';

/** What a process of simulated agents is started with. */
export interface Simulation {
  /** Servers by URL; agents are spread over them in turn. */
  readonly servers: readonly string[];
  readonly from: number;
  readonly count: number;
  readonly instances: number;
  /** How many services the instances are of. */
  readonly services: number;
  /** The definition that the first `rare` agents run, and what all run. */
  readonly runs: readonly string[];
  readonly rare: number;
  readonly rareRuns: readonly string[];
  /** Greetings at once. */
  readonly atOnce: number;
}

/** What they were sent since the last time it was asked for. */
export interface Sent {
  readonly views: number;
  readonly agents: number;
  readonly bytes: number;
}

// Agents that do what real ones do over their links, and nothing else: they greet with what they hold, take up views and say so,
// compare now and then. One process has many. Argument: a Simulation as JSON. Answers `sent` over IPC; `flap` reports transitions.
const simulation = JSON.parse(process.argv[2] ?? '{}') as Simulation;
const timing = TIMING.lan;
const pulse = new LinkPulse({ clock: systemClock, timing });
const links: NodeLink[] = [];
const viewed = new Set<string>();
const MOST_TRIES = 20;
const RETRY_MS = 1_000;
let [views, bytes] = [0, 0];

function registrationOf(number: number): NodeRegistration {
  const { instances: count, services, rare, runs, rareRuns } = simulation;
  const name = `node-${number}.example.net`;
  const address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  const ids = Array.from({ length: count }, (_, at) => number * count + at);
  const consumers = runs.length > 0 ? (['environment'] as const) : [];
  return {
    node: nodeRecordOf({
      name,
      address,
      consumers: [...consumers],
      runs: number < rare ? [...runs, ...rareRuns] : [...runs],
    }),
    instances: ids.map((id) => instanceOf(id, services)),
    checks: ids.map((id) => checkOf(id, services)),
  };
}

function instanceOf(number: number, services: number): NodeRegistration['instances'][number] {
  const service = `service-${number % services}`;
  return instanceRecordOf({
    id: `${service}-${number}`,
    service,
    port: 1_024 + (number % 60_000),
    tags: ['http', 'v1'],
  });
}

function checkOf(number: number, services: number): NodeRegistration['checks'][number] {
  const id = `service-${number % services}-${number}`;
  const output = `HTTP GET http://127.0.0.1:8080/status: 200 OK Output: ok`;
  return checkRecordOf({
    id: `service:${id}`,
    name: 'http',
    serviceId: id,
    type: 'http',
    interval: '10s',
    timeout: '2s',
    output,
  });
}

/** As a real one does, it tries again: whoever starts a thousand at once keeps a server busy. */
async function join(number: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await connect(number);
    } catch (error) {
      if (tries >= MOST_TRIES) throw error;
      await sleep(RETRY_MS);
    }
  }
}

async function connect(number: number): Promise<void> {
  const { servers } = simulation;
  const registration = registrationOf(number);
  const { name } = registration.node;
  const url = servers[number % servers.length] as string;
  const channel = await openNodeChannel({ url, token: '', pulse });
  const link = await NodeLink.connect({
    channel,
    node: name,
    agent: name,
    epoch: Date.now(),
    registration,
    choices: {},
  });
  link.onView((view) => {
    views++;
    viewed.add(name);
    bytes += JSON.stringify(view).length;
    if (simulation.runs.length > 0) link.receipt({ kind: 'environment', revision: view.revision, outcome: 'applied' });
  });
  links.push(link);
  void link.closed.then((reason) => {
    console.error(`${name}: ${reason}`);
    if (process.connected) void join(number);
  });
  void compare(link, registration);
}

/** As a node's keeper does, spread over the interval. */
async function compare(link: NodeLink, registration: NodeRegistration): Promise<void> {
  while (link.isOpen) {
    await sleep(timing.syncMs * link.syncFactor * (0.5 + Math.random()), undefined, { ref: false });
    await link.sync(registration).catch(() => undefined);
  }
}

async function connectAll(): Promise<void> {
  const { from, count, atOnce } = simulation;
  let next = from;
  const work = async (): Promise<void> => {
    while (next < from + count) await join(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, () => work()));
}

process.on('message', (ask) => {
  if (ask !== 'sent') return;
  const sent: Sent = { views, agents: viewed.size, bytes };
  [views, bytes] = [0, 0];
  viewed.clear();
  process.send?.({ sent });
});
process.once('disconnect', () => process.exit(0));
await connectAll();
process.send?.({ ready: links.length });
