import { z } from 'zod';
import { parseDuration } from '../lib/index.ts';
import type { HandlerDefinition } from './handler.ts';
import { WATCH_TYPES, type WatchDefinition, type WatchQuery, type WatchType } from './watch.ts';

const SCRIPT_LIMIT_MS = 300_000;
const HTTP_LIMIT_MS = 10_000;

const text = z.string().min(1);
const duration = z.string().refine(isDuration, 'expected a duration above 0 such as "10s"').transform(parseDuration);

/** `http_handler_config` of a watch. */
export const httpHandlerSchema = z
  .strictObject({
    path: z
      .url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://' })
      .describe('URL.'),
    method: z
      .string()
      .regex(/^[A-Z]{1,20}$/, 'expected a method such as POST')
      .optional()
      .describe('Method; default `POST`.'),
    header: z
      .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/), z.array(z.string().regex(/^[\t\u0020-\u{ff}]*$/u)))
      .optional()
      .describe('Headers: name to list of values.'),
    timeout: duration.optional().describe('An answer takes this long at most; default `10s`.'),
    tls_skip_verify: z.boolean().optional().describe('Takes any certificate.'),
  })
  .describe('Where an HTTP handler is sent its input.');

/** What a handler may be, in a watch and in a reaction. */
export const handlerFields = {
  args: z.array(text).min(1).optional().describe('Program and arguments that run, with the input on stdin.'),
  handler: text.optional().describe('The same as a line for `/bin/sh -c`.'),
  handler_type: z.enum(['script', 'http']).optional().describe('`script`, or `http` with `http_handler_config`.'),
  http_handler_config: httpHandlerSchema.optional(),
  timeout: duration.optional().describe('A script runs this long at most; default `5m`.'),
};

const watchObject = z.strictObject({
  type: z.string().describe(`What is watched: ${WATCH_TYPES.map((type) => `\`${type}\``).join(', ')}.`),
  key: text.optional().describe('`key`: the key.'),
  prefix: z.string().optional().describe('`keyprefix`: what the keys begin with.'),
  service: text.optional().describe('`service`, `checks`: the name of the service.'),
  tag: z
    .union([text, z.array(text)])
    .optional()
    .describe('`service`: only instances with this tag, or all of these.'),
  passingonly: z.boolean().optional().describe('`service`: only instances all of whose checks are passing.'),
  state: z
    .enum(['any', 'passing', 'warning', 'critical'])
    .optional()
    .describe('`checks`: only checks of this state; default `any`.'),
  name: text.optional().describe('`event`: only events of this name.'),
  filter: text.optional().describe('`services`, `nodes`, `service`, `checks`: a filter expression.'),
  token: text.optional().describe('Whose rights it has; default those of the agent.'),
  datacenter: text.optional().describe('Another region.'),
  stale: z.boolean().optional().describe('Takes an answer of any server.'),
  ...handlerFields,
});
export type WatchInput = z.output<typeof watchObject>;

/** Which keys a type has, those that it must have first. */
const KEYS: Readonly<Record<WatchType, { readonly needs: readonly Key[]; readonly takes: readonly Key[] }>> = {
  key: { needs: ['key'], takes: [] },
  keyprefix: { needs: ['prefix'], takes: [] },
  services: { needs: [], takes: ['filter'] },
  nodes: { needs: [], takes: ['filter'] },
  service: { needs: ['service'], takes: ['tag', 'passingonly', 'filter'] },
  checks: { needs: [], takes: ['service', 'state', 'filter'] },
  event: { needs: [], takes: ['name'] },
};
const QUERY_KEYS = ['key', 'prefix', 'service', 'tag', 'passingonly', 'state', 'name', 'filter'] as const;
type Key = (typeof QUERY_KEYS)[number];

/** One of `watches`: Consul's keys, each only where it means something. */
export const watchSchema = watchObject.superRefine((input, context) => {
  const problems = [...queryProblems(input), ...handlerProblems(input)];
  for (const { key, message } of problems) context.addIssue({ code: 'custom', path: key === '' ? [] : [key], message });
});

/** What `drover watch` looks at: the same without a handler. */
export const watchQuerySchema = watchObject.superRefine((input, context) => {
  for (const { key, message } of queryProblems(input)) context.addIssue({ code: 'custom', path: [key], message });
});

interface Problem {
  readonly key: string;
  readonly message: string;
}

function queryProblems(input: WatchInput): Problem[] {
  const { type } = input;
  if (!isWatchType(type)) return [{ key: 'type', message: typeProblem(type) }];
  const { needs, takes } = KEYS[type];
  const given = QUERY_KEYS.filter((key) => input[key] !== undefined);
  const missing = needs.filter((key) => !given.includes(key));
  const foreign = given.filter((key) => !needs.includes(key) && !takes.includes(key));
  const both = type === 'checks' && input.service !== undefined && input.state !== undefined;
  return [
    ...missing.map((key) => ({ key: '', message: `a watch of type "${type}" needs "${key}"` })),
    ...foreign.map((key) => ({ key, message: `"${key}" means nothing for a watch of type "${type}"` })),
    ...(both ? [{ key: 'state', message: 'a watch of checks has "service" or "state", not both' }] : []),
  ];
}

function typeProblem(type: string): string {
  if (type.startsWith('connect_')) return `"${type}" watches the mesh, which drover leaves out`;
  return `expected one of ${WATCH_TYPES.join(', ')}, found ${JSON.stringify(type)}`;
}

/** What is wrong with what is to run. Pure. */
export function handlerProblems(input: HandlerInput): Problem[] {
  const kinds = (['args', 'handler', 'http_handler_config'] as const).filter((key) => input[key] !== undefined);
  const isHttp = input.http_handler_config !== undefined;
  if (kinds.length === 0) return [{ key: '', message: 'it needs "args", "handler" or "http_handler_config"' }];
  if (kinds.length > 1) return [{ key: kinds[1] as string, message: `it has ${kinds.join(' and ')}; give one` }];
  if (input.handler_type !== undefined && (input.handler_type === 'http') !== isHttp)
    return [{ key: 'handler_type', message: `"${input.handler_type}" does not go with "${kinds[0]}"` }];
  if (isHttp && input.timeout !== undefined)
    return [{ key: 'timeout', message: 'the timeout of an HTTP handler belongs into "http_handler_config"' }];
  return [];
}

export type HandlerInput = Pick<WatchInput, keyof typeof handlerFields>;

/** Where a watch stands: the directory of its file, and whose it is. */
export interface WatchOwner {
  readonly cwd: string;
  readonly node: string;
}

/** The watch of a node that an input means. Of events it sees those that are for its node. */
export function toWatch(input: WatchInput, { cwd, node }: WatchOwner): WatchDefinition {
  const more = input.type === 'event' ? pair('node', node) : [];
  return { query: toQuery(input, more), handler: toHandler(input, cwd), token: input.token ?? null };
}

/** The handler that an input means. */
export function toHandler(input: HandlerInput, cwd: string): HandlerDefinition {
  const { args, handler, http_handler_config: http, timeout } = input;
  if (http === undefined) {
    return { type: 'script', args: args ?? null, shell: handler ?? null, cwd, timeoutMs: timeout ?? SCRIPT_LIMIT_MS };
  }
  return {
    type: 'http',
    url: http.path,
    method: http.method ?? 'POST',
    header: http.header ?? {},
    tlsSkipVerify: http.tls_skip_verify ?? false,
    timeoutMs: http.timeout ?? HTTP_LIMIT_MS,
  };
}

/** What a watch looks at, as one question to the API. */
export function toQuery(input: WatchInput, more: Pairs = []): WatchQuery {
  const type = input.type as WatchType;
  const { resource, parameters, title } = ASKED[type](input);
  const query = new URLSearchParams([
    ...parameters,
    ...more,
    ...pair('filter', input.filter),
    ...pair('dc', input.datacenter),
    ...(input.stale === true ? [['stale', ''] as const] : []),
  ] as [string, string][]);
  const path = query.size === 0 ? `/v1/${resource}` : `/v1/${resource}?${query.toString()}`;
  return { type, path, title: `${type}${title === '' ? '' : ` ${title}`}` };
}

type Pairs = readonly (readonly [string, string])[];
type Asked = { readonly resource: string; readonly parameters: Pairs; title: string };

const ASKED: Readonly<Record<WatchType, (input: WatchInput) => Asked>> = {
  key: ({ key = '' }) => ({ resource: `kv/${escaped(key)}`, parameters: [], title: key }),
  keyprefix: ({ prefix = '' }) => ({ resource: `kv/${escaped(prefix)}`, parameters: [['recurse', '']], title: prefix }),
  services: () => ({ resource: 'catalog/services', parameters: [], title: '' }),
  nodes: () => ({ resource: 'catalog/nodes', parameters: [], title: '' }),
  service: ({ service = '', tag = [], passingonly }) => ({
    resource: `health/service/${encodeURIComponent(service)}`,
    parameters: [
      ...[tag].flat().map((one) => ['tag', one] as const),
      ...(passingonly === true ? [['passing', '1'] as const] : []),
    ],
    title: service,
  }),
  checks: ({ service, state = 'any' }) => ({
    resource: service === undefined ? `health/state/${state}` : `health/checks/${encodeURIComponent(service)}`,
    parameters: [],
    title: service ?? state,
  }),
  event: ({ name }) => ({ resource: 'event/list', parameters: pair('name', name), title: name ?? '' }),
};

function pair(name: string, value: string | undefined): Pairs {
  return value === undefined ? [] : [[name, value]];
}

function escaped(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}

function isWatchType(type: string): type is WatchType {
  return (WATCH_TYPES as readonly string[]).includes(type);
}

function isDuration(value: string): boolean {
  try {
    return parseDuration(value) > 0;
  } catch {
    return false;
  }
}
