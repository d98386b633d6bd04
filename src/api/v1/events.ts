import { randomUUID } from 'node:crypto';
import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import { EventLog, type UserEvent } from './event-log.ts';
import { json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { parseDuration } from '../../lib/index.ts';

const DEFAULT_WAIT_MS = 300_000;
const MAX_WAIT_MS = 600_000;

/** User events (consul-http-api 10), as this agent sees them: kept in memory, the last 256. */
export function eventRoutes(context: ApiContext): V1Route[] {
  const log = new EventLog();
  return [
    { path: 'event/fire/', methods: { PUT: (request) => fire(log, request) } },
    { path: 'event/list', methods: { GET: (request) => list(context, log, request) } },
  ];
}

function fire(log: EventLog, { argument: name, query, body }: V1Request): V1Answer {
  if (name === '') throw badRequest('Missing name');
  const filters = { node: query.get('node') ?? '', service: query.get('service') ?? '', tag: query.get('tag') ?? '' };
  if (filters.tag !== '' && filters.service === '') throw internal('Cannot provide tag filter without service filter');
  const event: UserEvent = {
    ID: randomUUID(),
    Name: name,
    Payload: body.length === 0 ? null : body.toString('base64'),
    NodeFilter: filters.node,
    ServiceFilter: filters.service,
    TagFilter: filters.tag,
    Version: 1,
    LTime: 0,
  };
  log.add(event);
  return json(event);
}

async function list(context: ApiContext, log: EventLog, { query, signal }: V1Request): Promise<V1Answer> {
  const name = query.get('name') ?? '';
  const index = query.get('index') ?? '';
  if (index !== '' && !/^\d{1,20}$/.test(index)) throw badRequest('Invalid index');
  if (index !== '' && index !== '0' && index === log.index(name)) {
    const waitMs = Math.min(MAX_WAIT_MS, waitOf(query.get('wait')));
    await log.changed(name, context.clock, waitMs + context.random() * (waitMs / 16), signal);
  }
  return json(log.list(name), {
    'X-Consul-Index': log.index(name),
    'X-Consul-KnownLeader': 'true',
    'X-Consul-LastContact': '0',
  });
}

function waitOf(text: string | null): number {
  if (text === null || text === '') return DEFAULT_WAIT_MS;
  try {
    return parseDuration(text) || DEFAULT_WAIT_MS;
  } catch {
    throw badRequest('Invalid wait time');
  }
}
