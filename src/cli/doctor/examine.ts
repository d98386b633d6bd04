import {
  ApiError,
  type DroverClient,
  type WireBalancer,
  type WireEnvironment,
  type WireLateness,
  type WireListener,
  type WireNode,
  type WireService,
  type WireStatus,
} from '../../../client/src/index.ts';

/** One of the agent's own nodes. */
export interface NodeFacts {
  readonly name: string;
  readonly environments: readonly WireEnvironment[];
  /** null: it has none. */
  readonly listener: WireListener | null;
  readonly balancer: WireBalancer | null;
}

/** What the doctor judges. */
export interface Facts {
  readonly status: WireStatus;
  readonly services: readonly WireService[];
  readonly nodes: readonly WireNode[];
  readonly late: readonly WireLateness[];
  readonly own: readonly NodeFacts[];
}

/** Asks the agent for everything that could be wrong. Values of environments are not asked for. */
export async function examine(client: DroverClient): Promise<Facts> {
  const [status, services, nodes, late] = await Promise.all([
    client.status(),
    orEmpty(client.services()),
    orEmpty(client.nodes()),
    orEmpty(client.late()),
  ]);
  const here = nodes.filter((node) => status.nodes.includes(node.name));
  return { status, services, nodes, late, own: await Promise.all(here.map((node) => examineNode(client, node))) };
}

async function examineNode(client: DroverClient, { name, runs }: WireNode): Promise<NodeFacts> {
  const node = { node: name };
  const environments = runs.map((service) => orNone(client.environment(service, node)));
  const [listener, balancer, ...found] = await Promise.all([
    orNone(client.listener(node)),
    orNone(client.balancer(node)),
    ...environments,
  ]);
  return { name, listener, balancer, environments: found.filter((one) => one !== null) };
}

/** Of the region nothing is known while an agent is cut off from it, but for what it was asked before. */
async function orEmpty<T>(asked: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && error.error.code === 'API_NO_SERVERS') return [];
    throw error;
  }
}

/** null for what is not there. */
async function orNone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
