import { Resolver } from 'node:dns/promises';
import path from 'node:path';
import type { DroverCluster } from '../cluster/drover-cluster.ts';
import type { DroverProcess } from '../cluster/drover-process.ts';
import { runProgram, type ProgramEnd } from './run-program.ts';

export const LONG_MS = 240_000;

/** How far a change has come, as `/v2/trace` has it. */
export interface Trace {
  readonly converged: boolean;
  readonly arrived: number;
  readonly of: number;
  readonly consumers: readonly { readonly node: string; readonly kind: string; readonly state: string }[];
}

/** Asks an agent over HTTP. */
export function ask(at: DroverProcess, path: string, method = 'GET', body?: unknown): Promise<Response> {
  return fetch(`${at.url}${path}`, {
    method,
    signal: AbortSignal.timeout(120_000),
    headers: typeof body === 'object' ? { 'content-type': 'application/json' } : {},
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

export async function json<T>(at: DroverProcess, path: string): Promise<T> {
  return (await ask(at, path)).json() as Promise<T>;
}

/** What is written; throws when it is refused. The revision of it. */
export async function put(at: DroverProcess, path: string, body: unknown): Promise<number> {
  const answer = await ask(at, path, 'PUT', body);
  if (answer.status !== 200) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
  await answer.body?.cancel();
  return Number(answer.headers.get('x-drover-revision'));
}

/** Ports of the instances of a service that DNS gives. */
export async function inDns(at: DroverProcess, service = 'web'): Promise<number[]> {
  const resolver = new Resolver({ timeout: 3_000, tries: 3 });
  resolver.setServers([`${at.http.listen.host}:${at.dnsPort}`]);
  const found = await resolver.resolveSrv(`${service}.service.consul`).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND') return [];
    throw error;
  });
  return found.map(({ port }) => port).toSorted((a, b) => a - b);
}

/** Ids of the instances of a service that are passing. */
export async function passing(at: DroverProcess, service = 'web'): Promise<string[]> {
  const rows = await json<{ Service: { ID: string } }[]>(at, `/v1/health/service/${service}?passing&stale`);
  return rows.map(({ Service }) => Service.ID).toSorted();
}

/** All that a server has of the catalog, of health and of keys, and how it is known by its digest. */
export async function everything(at: DroverProcess, services: readonly string[] = ['web']): Promise<string> {
  const parts = [
    '/v1/catalog/nodes?stale',
    '/v1/catalog/services?stale',
    '/v1/health/state/any?stale',
    '/v1/kv/?recurse&stale',
    ...services.flatMap((name) => [`/v1/catalog/service/${name}?stale`, `/v1/health/service/${name}?stale`]),
  ];
  return (await Promise.all(parts.map(async (path) => (await ask(at, path)).text()))).join('\n');
}

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');

/** The command line, spoken to an agent. */
export function drover(at: DroverProcess, ...words: readonly string[]): Promise<ProgramEnd> {
  return runProgram(DROVER, words, { env: { DROVER_HTTP_ADDR: at.url } });
}

export async function linkedTo(agent: DroverProcess): Promise<string | null> {
  return (await json<{ link: { server: string | null } | null }>(agent, '/v2/status')).link?.server ?? null;
}

/** What etcdctl says; asked again when a busy machine is too slow for it. */
export async function etcdctl({ etcd }: DroverCluster, ...words: readonly string[]): Promise<string> {
  for (let left = 5; ; left--)
    try {
      return await etcd.etcdctl(...words);
    } catch (error) {
      if (left === 0) throw error;
    }
}

/** Keys of the store in some families, with the revision of each. */
export async function stored(cluster: DroverCluster, ...families: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const family of families) {
    const text = await etcdctl(cluster, 'get', '--prefix', '--keys-only', `/drover/1/${family}`, '-w', 'json');
    const { kvs = [] } = JSON.parse(text) as { kvs?: { key: string; mod_revision: number }[] };
    for (const { key, mod_revision: revision } of kvs) found.set(Buffer.from(key, 'base64').toString(), revision);
  }
  return found;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
