import { eventIndex, type EventNode, type FiredEvent, wireEvent } from '../../event/index.ts';
import type { Instance } from '../../registry/index.ts';
import { nodeOfAgent } from '../caller.ts';
import type { ApiContext } from '../context.ts';
import { badRequest, notFound } from '../errors.ts';
import type { LocalNode } from '../local-node.ts';
import { waitOf } from './blocking.ts';
import { changedAt, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { argumentOf } from './on-node.ts';
import { readHeaders } from './read-headers.ts';

const DEFAULT_WAIT_MS = 300_000;
const MAX_WAIT_MS = 600_000;
/** 256 events are kept, so this bounds their memory; Consul's gossip takes half a kilobyte. */
const MAX_PAYLOAD_BYTES = 16 * 1024;
/** An event's name is part of a key of the store. */
const MAX_NAME_BYTES = 255;

/** User events of the region (consul-http-api 10): the last 256, and of those what is for this agent's nodes. */
export function eventRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'event/fire/', bodyLimit: MAX_PAYLOAD_BYTES, methods: { PUT: (request) => fire(context, request) } },
    { path: 'event/list', methods: { GET: (request) => list(context, request) } },
  ];
}

async function fire(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const name = argumentOf(request, 'name');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw badRequest(`Name is longer than ${MAX_NAME_BYTES} bytes`);
  request.authority.demand('event', name, 'write');
  const { query, body } = request;
  const { event, revision } = await context.userEvents.fires.fire({
    name,
    payload: body,
    nodeFilter: query.get('node') ?? '',
    serviceFilter: query.get('service') ?? '',
    tagFilter: query.get('tag') ?? '',
  });
  return { ...json(wireEvent(event, 0)), headers: changedAt(revision) };
}

/** `?after=` leaves out what has no higher LTime; the index stays that of the whole list. */
async function list(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { query } = request;
  const index = query.get('index') ?? '';
  if (!/^\d{0,20}$/.test(index)) throw badRequest('Invalid index');
  if (!/^\d{0,16}$/.test(query.get('after') ?? '')) throw badRequest('Invalid after');
  const asked = Math.min(MAX_WAIT_MS, waitOf(query.get('wait')) ?? DEFAULT_WAIT_MS);
  const endMs = context.clock.now() + asked + context.random() * (asked / 16);
  let seen = seenBy(context, request);
  // Not "newer than": the index is made of a UUID, so only another one says that there is something else.
  const waits = index !== '' && index !== '0' && !request.hasWaited;
  while (waits && index === eventIndex(seen.at(-1))) {
    const leftMs = endMs - context.clock.now();
    if (leftMs <= 0 || !(await context.userEvents.log.next(context.clock, leftMs, request.signal))) break;
    seen = seenBy(context, request);
  }
  return answer(context, request, seen);
}

function answer(context: ApiContext, request: V1Request, seen: readonly FiredEvent[]): V1Answer {
  const headerList = readHeaders(
    context.store.status(),
    eventIndex(seen.at(-1)),
    'leader',
    context.access.defaultPolicy,
  );
  headerList.push('X-Drover-Revision', String(context.feed.revision));
  const all = named(context, request);
  if (request.hasToken && seen.length < all.length) headerList.push('X-Consul-Results-Filtered-By-ACLs', 'true');
  const after = Number(request.query.get('after') ?? 0);
  const asked = after > 0 ? seen.filter(({ revision }) => revision > after) : seen;
  return { ...json(asked.map((event) => wireEvent(event, event.revision))), headerList };
}

/** Events of `?name=` for the agent's nodes, or for the one of `?node=`, that the asker may read. */
function seenBy(context: ApiContext, request: V1Request): readonly FiredEvent[] {
  const { authority } = request;
  const all = named(context, request);
  if (authority.id === '') return all;
  // Mostly few names, and a hundred watches ask at once.
  const verdicts = new Map(all.map(({ name }) => [name, false]));
  for (const name of verdicts.keys()) verdicts.set(name, authority.allows('event', name, 'read'));
  return all.filter(({ name }) => verdicts.get(name));
}

function named(context: ApiContext, { query, headers }: V1Request): readonly FiredEvent[] {
  const asked = query.get('node');
  const elsewhere = asked === null ? elsewhereOf(context, nodeOfAgent(headers)) : null;
  const nodes = elsewhere === null ? nodesOf(context, asked).map(hereOf) : [elsewhere];
  return context.userEvents.seen.of(nodes, query.get('name') ?? '');
}

/** The node for whose agent the question was handed on, with what the region knows that runs there. */
function elsewhereOf({ catalog, nodes }: ApiContext, name: string | undefined): EventNode | null {
  if (name === undefined || nodes.has(name) || catalog.node(name) === undefined) return null;
  const instances = (): readonly Instance[] => [...(catalog.node(name)?.instances.values() ?? [])];
  return { name, services: () => instances().map(({ record }) => record) };
}

function hereOf(node: LocalNode): EventNode {
  return { name: node.record.name, services: () => node.services() };
}

function nodesOf({ nodes }: ApiContext, name: string | null): readonly LocalNode[] {
  if (name === null) return [...nodes.values()];
  const node = nodes.get(name);
  if (node !== undefined) return [node];
  throw notFound(`this agent has no node ${JSON.stringify(name)}; it has ${[...nodes.keys()].join(', ')}`);
}
