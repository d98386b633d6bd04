import { randomUUID } from 'node:crypto';
import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import { waitOf } from './blocking.ts';
import { EventLog, type UserEvent } from './event-log.ts';
import { json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { argumentOf } from './on-node.ts';
import { readHeaders } from './read-headers.ts';

const DEFAULT_WAIT_MS = 300_000;
const MAX_WAIT_MS = 600_000;
/** 256 events are kept, so this bounds their memory; Consul's gossip takes half a kilobyte. */
const MAX_PAYLOAD_BYTES = 16 * 1024;
const FILTERS = ['node', 'service', 'tag'] as const;

/** User events (consul-http-api 10), as this agent sees them: kept in memory, the last 256. */
export function eventRoutes(context: ApiContext): V1Route[] {
  const log = new EventLog();
  return [
    { path: 'event/fire/', bodyLimit: MAX_PAYLOAD_BYTES, methods: { PUT: (request) => fire(log, request) } },
    { path: 'event/list', methods: { GET: (request) => list(context, log, request) } },
  ];
}

function fire(log: EventLog, request: V1Request): V1Answer {
  const name = argumentOf(request, 'name');
  refuseFilters(request);
  const event: UserEvent = {
    ID: randomUUID(),
    Name: name,
    Payload: request.body.length === 0 ? null : request.body.toString('base64'),
    NodeFilter: '',
    ServiceFilter: '',
    TagFilter: '',
    Version: 1,
    LTime: 0,
  };
  log.add(event);
  return json(event);
}

/** An event that reached more than it should would be worse than one that is not taken. */
function refuseFilters({ query }: V1Request): void {
  const given = FILTERS.filter((name) => (query.get(name) ?? '') !== '');
  if (given.includes('tag') && !given.includes('service'))
    throw internal('Cannot provide tag filter without service filter');
  for (const name of given) {
    if (!isPattern(query.get(name) ?? '')) throw internal(`Invalid ${name} filter: not a regular expression`);
    throw badRequest(`Invalid query parameter: "${name}" - filters of events are not known to this version`);
  }
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'v') instanceof RegExp;
  } catch {
    return false;
  }
}

async function list(context: ApiContext, log: EventLog, { query, signal }: V1Request): Promise<V1Answer> {
  const name = query.get('name') ?? '';
  const index = query.get('index') ?? '';
  if (!/^\d{0,20}$/.test(index)) throw badRequest('Invalid index');
  const waitMs = Math.min(MAX_WAIT_MS, waitOf(query.get('wait')) ?? DEFAULT_WAIT_MS);
  if (index !== '' && index !== '0' && index === log.index(name))
    await log.changed(name, context.clock, waitMs + context.random() * (waitMs / 16), signal);
  const headerList = readHeaders(context.store.status(), log.index(name), 'leader');
  return { ...json(log.list(name)), headerList };
}
