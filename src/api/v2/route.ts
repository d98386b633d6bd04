import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { Revision } from '../../store/index.ts';
import type { Caller } from '../caller.ts';
import type { ApiContext } from '../context.ts';
import type { Body } from './body.ts';
import { demandNeeds, type Needs } from './needs.ts';
import { readHeaders, readParams, readQuery } from './parameters.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** What goes out, as deep as it goes: answers are made of the catalog's own frozen parts. */
export type Sent<T> = T extends readonly (infer Element)[]
  ? readonly Sent<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: Sent<T[Key]> }
    : T;

/** One server-sent event; `id` is where a reader that comes back goes on. */
export interface ServerEvent {
  readonly id: Revision;
  readonly event: string;
  readonly data: object;
}

/** What a handler gives: a body, or a stream of events. `revision` belongs to changing routes. */
export interface Reply<Answer> {
  readonly body?: Sent<Answer>;
  readonly revision?: Revision;
  readonly events?: AsyncIterable<ServerEvent>;
}

/** A request as it came in. */
export interface RawRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: IncomingHttpHeaders;
  /** Undefined for a request without one. */
  readonly body: Buffer | undefined;
  readonly caller: Caller;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** A request as a handler sees it: everything is validated. */
export interface Asked<Params, Query, Headers, Content> {
  readonly params: Params;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Content;
  /** Who asks. */
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/** One endpoint, said once: routing, validation and the OpenAPI document come from it. */
export interface RouteSpec<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Headers extends z.ZodObject,
  Content,
  Answer extends z.ZodType,
> {
  readonly method: Method;
  /** `/v2/services/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly needs: Needs<Asked<z.output<Params>, z.output<Query>, z.output<Headers>, Content>>;
  readonly params: Params;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Body<Content>;
  readonly answer: Answer;
  /** Its answers carry `X-Drover-Revision`. */
  readonly changes?: boolean;
  /** Answers with server-sent events of the answer's form. */
  readonly streams?: boolean;
  handle(
    asked: Asked<z.output<Params>, z.output<Query>, z.output<Headers>, Content>,
    context: ApiContext,
  ): Reply<z.output<Answer>> | Promise<Reply<z.output<Answer>>>;
}

/** A route in the table: its types are its own affair. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly headers: z.ZodObject;
  readonly bodySchema: z.ZodType | null;
  readonly answer: z.ZodType;
  readonly changes: boolean;
  readonly streams: boolean;
  /** Validates and answers. @throws what is wrong with the request, or with what it asks for */
  run(raw: RawRequest, context: ApiContext): Promise<Reply<unknown>>;
}

/** A row of the table. */
export function route<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Headers extends z.ZodObject,
  Content,
  Answer extends z.ZodType,
>(spec: RouteSpec<Params, Query, Headers, Content, Answer>): Route {
  const { method, path, summary, params, query, headers, body, answer, changes = false, streams = false } = spec;
  return {
    method,
    path,
    summary,
    params,
    query,
    headers,
    answer,
    changes,
    streams,
    bodySchema: body.schema,
    async run(raw, context) {
      const asked = {
        params: readParams(params, raw.params),
        query: readQuery(query, raw.query),
        headers: readHeaders(headers, raw.headers),
        body: body.read(raw.body),
        caller: raw.caller,
        signal: raw.signal,
      };
      demandNeeds(spec.needs, asked, context);
      return spec.handle(asked, context);
    },
  };
}
