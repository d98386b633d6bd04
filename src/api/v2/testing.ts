import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import type { Changes, Receipt } from '../../change/index.ts';
import { FakeClock } from '../../lib/index.ts';
import type { Registry } from '../../registry/index.ts';
import type { TestRegistry } from '../../registry/testing.ts';
import { buildHttpServer } from '../http-server.ts';
import { askServer } from '../testing-ask.ts';
import { startTestRegion } from '../testing-region.ts';
import { testContext, type TestApi as AnyTestApi, type TestApiOptions as AnyOptions } from '../testing.ts';
import { v2Routes } from './routes.ts';
import { catalogNode } from './testing-node.ts';

/** A region in memory with `/v1` and `/v2` over it; the nodes named in `hosted` (unless told all of the region) are this agent's. */
export interface TestApiOptions extends AnyOptions {
  /** Nodes with a listener that only counts. */
  readonly listeners?: readonly string[];
  readonly balancers?: Readonly<Record<string, object>>;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Parsed when it is JSON; tests look into it freely. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface AskOptions {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What tests drive. */
export interface TestApi extends Pick<AnyTestApi, 'server' | 'context' | 'clock' | 'logged'>, AsyncDisposable {
  readonly region: TestRegistry;
  readonly changes: Changes;
  readonly registry: Registry;
  ask(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD' | 'PATCH',
    url: string,
    options?: AskOptions,
  ): Promise<TestAnswer>;
  /** A consumer's word. */
  receipt(receipt: Receipt): void;
}

/** @example await using api = await startTestApi({ nodes: ['staging'] }); (await api.ask('GET', '/v2/status')).body.region */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  await using stack = new AsyncDisposableStack();
  const clock = options.clock ?? new FakeClock();
  const { region, parts } = await startTestRegion({ ...options, clock, agent: options.hosted?.[0] }, stack);
  const { context, logged } = testContext(options, clock, parts, nodesOf(options, parts));
  const server = await buildHttpServer(context);
  stack.defer(() => server.close());
  const running = stack.move();
  const { changes, registry } = parts;
  return {
    server,
    context,
    region,
    changes,
    registry,
    clock,
    logged,
    ask: (method, url, asked) => ask(server, method, url, asked),
    receipt: (receipt) => changes.receipt(receipt),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function nodesOf(
  { hosted, listeners = [], balancers = {} }: TestApiOptions,
  { catalog, registry, changes }: Awaited<ReturnType<typeof startTestRegion>>['parts'],
): Map<string, ReturnType<typeof catalogNode>> {
  const names = hosted ?? catalog.nodes().map((node) => node.record.name);
  return new Map(
    names.map((name) => {
      const own = { hasListener: listeners.includes(name), balancer: balancers[name] ?? null };
      return [name, catalogNode(name, { catalog, registry, changes, ...own })];
    }),
  );
}

async function ask(
  server: FastifyInstance,
  method: string,
  url: string,
  { body, text, headers }: AskOptions = {},
): Promise<TestAnswer> {
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await askServer(server, method, url, {
    body: sent,
    headers: { ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  });
  const type = answer.headers['content-type'] ?? '';
  if (answer.status < 300 && method !== 'HEAD') checkForm(method, url, answer.text);
  const isJson = type.includes('json') && answer.text !== '';
  return { status: answer.status, headers: answer.headers, body: isJson ? answer.json : answer.text };
}

/** Every answer has the form that is documented, and nothing beside it. */
function checkForm(method: string, url: string, payload: string): void {
  const path = url.replace(/\?.*$/, '').split('/');
  const fits = (pattern: string): boolean => {
    const parts = pattern.split('/');
    return parts.length === path.length && parts.every((part, index) => part.startsWith('{') || part === path[index]);
  };
  const route = v2Routes().find((one) => one.method === method && fits(one.path));
  if (route === undefined) throw new Error(`${method} ${url} is not in the table`);
  const body = JSON.parse(payload) as unknown;
  assert.deepEqual(route.answer.parse(body), body, `${method} ${url}`);
}
