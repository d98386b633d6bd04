import { ApiError, UnreachableError, type DroverClient, type WireDeployment } from '../../../client/src/index.ts';
import { messageOf, sayDuration, type Clock } from '../../lib/index.ts';
import { isOver, namesOf, nextNodes } from './plan.ts';

export interface DeployOptions {
  readonly id: string;
  readonly client: Pick<DroverClient, 'provisionNode' | 'nodeProvisions' | 'nodeMachine' | 'saveDeployment' | 'node'>;
  readonly clock: Clock;
  /** How long one node may take, from its order on. */
  readonly limitMs: number;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

interface Begun {
  readonly sinceMs: number;
  /** Whether it was told; one that is not linked just now is told when it is. */
  isTold: boolean;
  /** What was said last of why it takes a while. */
  held: string | null;
}

interface End {
  readonly isFine: boolean;
  readonly result: string;
}

const POLL_MS = 300;
const SERVERS_FAULT = 500;
/** The node is not linked just now, or says nothing. */
const AWAY: ReadonlySet<string> = new Set(['LINK_AWAY', 'LINK_CLOSED', 'LINK_NO_ANSWER']);

/** Goes through a deployment, node by node, writing each step down before the next; resolves with how it stands at the end. */
export async function deployNodes(start: WireDeployment, options: DeployOptions): Promise<WireDeployment> {
  const { clock, signal } = options;
  const begun = new Map<string, Begun>();
  let state = start;
  while (!isOver(state)) {
    const next = nextNodes(state);
    if (next.length > 0) {
      // Written down first: whoever resumes knows that their end is not known.
      state = await save(moved(state, next, 'running'), options);
      for (const name of next) begun.set(name, { sinceMs: options.clock.now(), isTold: false, held: null });
    }
    const after = await look(state, begun, options);
    state = after === state ? state : await save(after, options);
    if (!isOver(state)) await clock.sleep(POLL_MS, signal);
  }
  return state;
}

async function look(state: WireDeployment, begun: Map<string, Begun>, options: DeployOptions): Promise<WireDeployment> {
  let next = state;
  for (const name of namesOf(state.nodes, 'running')) {
    const end = await endOf(name, begun.get(name) as Begun, options);
    if (end === null) continue;
    options.say(end.isFine ? `${name} is done` : `${name} failed: ${end.result}`);
    next = moved(next, [name], end.isFine ? 'done' : 'failed');
  }
  return next;
}

/** How a node's provision ended; null: it has not. */
async function endOf(name: string, begun: Begun, options: DeployOptions): Promise<End | null> {
  const { clock, limitMs } = options;
  if (clock.now() - begun.sinceMs > limitMs) return { isFine: false, result: `not within ${sayDuration(limitMs)}` };
  try {
    return await stepOf(name, begun, options);
  } catch (error) {
    // The server that is asked may come back, or be a passing trouble's.
    if (error instanceof UnreachableError || (error instanceof ApiError && error.status >= SERVERS_FAULT)) return null;
    if (error instanceof ApiError) return { isFine: false, result: messageOf(error) };
    throw error;
  }
}

async function stepOf(name: string, begun: Begun, options: DeployOptions): Promise<End | null> {
  try {
    return begun.isTold ? await resultOf(name, begun, options) : await tell(name, begun, options);
  } catch (error) {
    if (error instanceof ApiError && AWAY.has(error.error.code)) return awayOf(name, begun, options);
    throw error;
  }
}

/** @throws what the node, or the server, answers */
async function tell(name: string, begun: Begun, { id, client, say }: DeployOptions): Promise<null> {
  await client.provisionNode(name, { cause: causeOf(id) });
  begun.isTold = true;
  say(`${name} is told to provision`);
  return null;
}

async function resultOf(name: string, begun: Begun, { id, client, say }: DeployOptions): Promise<End | null> {
  const { listener, provisions } = await client.nodeProvisions(name);
  if (listener === null) return { isFine: false, result: 'it has no provision command' };
  const run = provisions.find(({ causes }) => causes.includes(causeOf(id)));
  if (run !== undefined) return { isFine: run.succeeded, result: run.result };
  sayOnce(name, begun, listener.held, say);
  return null;
}

/**
 * What becomes of a node that could not be asked. An agent that is started again takes up the run that goes on meanwhile, so that
 * keeps its place among those that provision for as long as it may live: until nothing comes back from its machine.
 */
async function awayOf(name: string, begun: Begun, { client, say }: DeployOptions): Promise<End | null> {
  const { status } = await client.node(name);
  if (status === 'left' || (status === 'down' && !begun.isTold))
    return { isFine: false, result: `the node is ${status}` };
  if (status !== 'down') return null;
  if (!(await client.nodeMachine(name)).answers)
    return { isFine: false, result: 'the node is down, and its machine does not answer' };
  sayOnce(name, begun, 'is down, and its provision may go on: start its agent again', say);
  return null;
}

function sayOnce(name: string, begun: Begun, held: string | null, say: DeployOptions['say']): void {
  if (held !== null && held !== begun.held) say(`${name} ${held}`);
  begun.held = held;
}

/** Each attempt has a cause of its own, so that an older run is not taken for it. */
function causeOf(id: string): string {
  return `instance:deploy ${id}`;
}

async function save(state: WireDeployment, { id, client }: DeployOptions): Promise<WireDeployment> {
  const { revision } = await client.saveDeployment(stemOf(id), state);
  return { ...state, revision };
}

/** The name of a deployment without its attempt: `3f2a.2` is the second one of `3f2a`. */
function stemOf(id: string): string {
  return id.split('.')[0] as string;
}

function moved(state: WireDeployment, names: readonly string[], to: WireDeployment['nodes'][string]): WireDeployment {
  return { ...state, nodes: { ...state.nodes, ...Object.fromEntries(names.map((name) => [name, to])) } };
}
