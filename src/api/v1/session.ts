import { sessionTopic, type Session } from '../../kv/index.ts';
import type { ApiContext } from '../context.ts';
import { nodeOfAgent } from '../caller.ts';
import { badRequest } from '../errors.ts';
import { answerRows, type RowsQuery } from './answer-rows.ts';
import { catchUp } from './blocking.ts';
import { bodyJson, changedAt, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { SESSION_SHAPE } from './row-shapes.ts';
import { parseSession } from './parse-session.ts';

type Answering = V1Answer | Promise<V1Answer>;

/** Sessions (consul-http-api 4). */
export function sessionRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'session/create', methods: { PUT: (request) => create(context, request) } },
    { path: 'session/destroy/', methods: { PUT: (request) => destroy(context, request) } },
    { path: 'session/renew/', methods: { PUT: (request) => renew(context, request) } },
    { path: 'session/info/', methods: { GET: (request) => info(context, request) } },
    { path: 'session/node/', methods: { GET: (request) => ofNode(context, request) } },
    { path: 'session/list', methods: { GET: (request) => list(context, request) } },
  ];
}

async function create(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const input = parseSession(request.body.length === 0 ? {} : bodyJson(request), {
    region: context.region,
    firstNode: nodeOfAgent(request.headers) ?? context.firstNode,
  });
  request.authority.demand('session', input.node, 'write');
  const { id, revision } = await context.sessionWrites.create(input);
  return { json: JSON.stringify({ ID: id }), headers: changedAt(revision) };
}

async function destroy(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const id = idOf(request);
  const session = context.sessions.get(id);
  if (session !== undefined) request.authority.demand('session', session.node, 'write');
  const revision = await context.sessionWrites.destroy(id);
  return { json: 'true', headers: changedAt(revision) };
}

function renew(context: ApiContext, request: V1Request): Answering {
  const isNews = context.sessions.get(idOf(request)) === undefined && context.store.status().engine !== 'sqlite';
  // One that was just created through another server may not have been heard of here.
  return isNews ? catchUp(context).then(() => renewKnown(context, request)) : renewKnown(context, request);
}

async function renewKnown(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const id = idOf(request);
  const known = context.sessions.get(id);
  if (known !== undefined) request.authority.demand('session', known.node, 'write');
  const session = await context.sessionWrites.renew(id);
  return { json: JSON.stringify([wireSession(session, context.legacy)]) };
}

function info(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () => {
    const id = idOf(request);
    return rowsOf(context, `session info ${JSON.stringify(id)}`, sessionTopic.one(id), () => {
      const session = context.sessions.get(id);
      return session === undefined ? [] : [session];
    });
  });
}

function ofNode(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () => {
    const { argument: node } = request;
    if (node === '') throw badRequest('Missing node name');
    return rowsOf(context, `session node ${JSON.stringify(node)}`, sessionTopic.ofNode(node), () =>
      context.sessions.ofNode(node),
    );
  });
}

function list(context: ApiContext, request: V1Request): Answering {
  return answerRows(context, request, () =>
    rowsOf(context, 'session list', sessionTopic.all, () => context.sessions.list()),
  );
}

function rowsOf(context: ApiContext, key: string, topic: string, rows: () => readonly Session[]): RowsQuery<Session> {
  return {
    key,
    topics: [topic],
    rows,
    sees: (authority, { node }) => authority.allows('session', node, 'read'),
    wire: (session) => wireSession(session, context.legacy),
    shape: SESSION_SHAPE,
  };
}

function idOf({ argument }: V1Request): string {
  if (argument === '') throw badRequest('Missing session');
  return argument;
}

const NS_PER_MS = 1e6;

/** Consul's session. `Checks` is an old member: shown where it was given, and by `legacy`. */
function wireSession(session: Session, legacy: boolean): Record<string, unknown> {
  const { checks = legacy ? session.nodeChecks : undefined, serviceChecks } = session;
  return {
    ID: session.id,
    Name: session.name,
    Node: session.node,
    LockDelay: Math.round(session.lockDelayMs * NS_PER_MS),
    Behavior: session.behavior,
    TTL: session.ttl,
    NodeChecks: session.nodeChecks,
    ServiceChecks: serviceChecks?.map(({ id, namespace }) => ({ ID: id, Namespace: namespace })) ?? null,
    ...(checks === undefined ? {} : { Checks: checks }),
    CreateIndex: session.createRevision,
    ModifyIndex: session.modRevision,
  };
}
