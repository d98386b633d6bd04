import { ApiError, UnreachableError, type DroverClient, type WireDeployment } from '../../../client/src/index.ts';
import { messageOf, sayDuration, type Clock } from '../../lib/index.ts';
import { isOver, namesOf, nextNodes } from './plan.ts';

export interface DeployOptions {
  readonly id: string;
  readonly client: Pick<DroverClient, 'provisionNode' | 'nodeProvisions' | 'saveDeployment' | 'node'>;
  readonly clock: Clock;
  /** How long one node may take, from its order on. */
  readonly limitMs: number;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

interface Begun {
  readonly sinceMs: number;
  held: string | null;
}

const POLL_MS = 300;

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
      state = await order(state, next, begun, options);
    }
    const after = await look(state, begun, options);
    state = after === state ? state : await save(after, options);
    if (!isOver(state)) await clock.sleep(POLL_MS, signal);
  }
  return state;
}

async function order(
  state: WireDeployment,
  names: readonly string[],
  begun: Map<string, Begun>,
  { id, client, clock, say }: DeployOptions,
): Promise<WireDeployment> {
  let next = state;
  for (const name of names) {
    begun.set(name, { sinceMs: clock.now(), held: null });
    try {
      await client.provisionNode(name, { cause: causeOf(id) });
      say(`${name} is told to provision`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(`${name} failed: ${messageOf(error)}`);
      next = moved(next, [name], 'failed');
    }
  }
  return next;
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
async function endOf(
  name: string,
  begun: Begun,
  { id, client, clock, limitMs, say }: DeployOptions,
): Promise<{ readonly isFine: boolean; readonly result: string } | null> {
  if (clock.now() - begun.sinceMs > limitMs) return { isFine: false, result: `not within ${sayDuration(limitMs)}` };
  try {
    const { listener, provisions } = await client.nodeProvisions(name);
    if (listener === null) return { isFine: false, result: 'it has no provision command' };
    const run = provisions.find(({ causes }) => causes.includes(causeOf(id)));
    if (run !== undefined) return { isFine: run.succeeded, result: run.result };
    if (listener.held !== begun.held && listener.held !== null) say(`${name} ${listener.held}`);
    begun.held = listener.held;
    return null;
  } catch (error) {
    if (error instanceof UnreachableError) return null;
    if (!(error instanceof ApiError)) throw error;
    // An agent that is restarted takes up the run that goes on meanwhile; a node that is down does not.
    const { status } = await client.node(name);
    return status === 'down' || status === 'left' ? { isFine: false, result: `the node is ${status}` } : null;
  }
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
