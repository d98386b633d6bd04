import { ApiError, UnreachableError } from './api-error.ts';
import type {
  WireApplied,
  WireConverged,
  WireDatastore,
  WireEnvironment,
  WireError,
  WireEvent,
  WireListener,
  WireNode,
  WireService,
  WireServiceDetail,
  WireStatus,
  WireTrace,
} from './wire.ts';

/** Where the agent is and who asks. */
export interface ClientOptions {
  /** Such as `http://127.0.0.1:8500`. */
  readonly address: string;
  readonly token?: string;
  readonly fetch?: typeof fetch;
}

/** An answer with the revision at which it holds. */
export interface Changed<T> {
  readonly revision: number;
  readonly body: T;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Call {
  readonly method?: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string;
  readonly signal?: AbortSignal;
}

/**
 * drover's own HTTP API. Each method throws ApiError for an answer that is not a success and UnreachableError when
 * nobody answers.
 *
 * @example
 * const drover = new DroverClient({ address: 'http://127.0.0.1:8500' });
 * const { variables } = await drover.environment('app-www');
 */
export class DroverClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  status(): Promise<WireStatus> {
    return this.#get('/v2/status');
  }

  services(): Promise<WireService[]> {
    return this.#get('/v2/services');
  }

  service(id: string, query: { federation?: string } = {}): Promise<WireServiceDetail> {
    return this.#get(`/v2/services/${encodeURIComponent(id)}`, query);
  }

  nodes(): Promise<WireNode[]> {
    return this.#get('/v2/nodes');
  }

  node(name: string): Promise<WireNode> {
    return this.#get(`/v2/nodes/${encodeURIComponent(name)}`);
  }

  /** Applies definitions, all or none; with `dryRun` only says what would be refused or warned of. */
  applyDefinitions(definitions: readonly object[], query: { dryRun?: boolean } = {}): Promise<Changed<WireApplied>> {
    return this.#change('/v2/definitions', { method: 'PUT', body: definitions, query });
  }

  /** Takes a node or one of its services out of DNS and balancers, or back in. */
  maintenance(
    enable: boolean,
    query: { node?: string; service?: string; reason?: string } = {},
  ): Promise<Changed<unknown>> {
    return this.#change('/v2/maintenance', { method: 'PUT', query: { ...query, enable: String(enable) } });
  }

  definitions(): Promise<Record<string, unknown>[]> {
    return this.#get('/v2/definitions');
  }

  removeDefinition(id: string, query: { federation?: string } = {}): Promise<Changed<unknown>> {
    return this.#change(`/v2/definitions/${encodeURIComponent(id)}`, { method: 'DELETE', query });
  }

  datastores(query: { reveal?: boolean } = {}): Promise<WireDatastore[]> {
    return this.#get('/v2/datastores', query);
  }

  setDatastore(
    name: string,
    value: string,
    query: { federation?: string; region?: string } = {},
  ): Promise<Changed<unknown>> {
    return this.#change(`/v2/datastores/${encodeURIComponent(name)}`, { method: 'PUT', query, body: { value } });
  }

  removeDatastore(name: string, query: { federation?: string; region?: string } = {}): Promise<Changed<unknown>> {
    return this.#change(`/v2/datastores/${encodeURIComponent(name)}`, { method: 'DELETE', query });
  }

  environment(service: string, query: { node?: string; reveal?: boolean } = {}): Promise<WireEnvironment> {
    return this.#get(`/v2/environment/${encodeURIComponent(service)}`, query);
  }

  listener(query: { node?: string } = {}): Promise<WireListener> {
    return this.#get('/v2/listener', query);
  }

  switchListener(to: 'on' | 'off', query: { node?: string } = {}): Promise<WireListener> {
    return this.#call<WireListener>(`/v2/listener/${to}`, { method: 'POST', query }).then(({ body }) => body);
  }

  provisions(query: { node?: string } = {}): Promise<Record<string, unknown>[]> {
    return this.#get('/v2/provisions', query);
  }

  provision(query: { node?: string } = {}): Promise<WireListener> {
    return this.#call<WireListener>('/v2/provisions', { method: 'POST', query }).then(({ body }) => body);
  }

  /** How far a revision has arrived; `latest` = the newest revision that concerns anyone. */
  trace(revision: number | 'latest'): Promise<WireTrace> {
    return this.#get(`/v2/trace/${revision}`);
  }

  /** Waits until a revision has arrived everywhere, or it is known that it will not for now. */
  converged(revision: number, query: { wait?: string; provisions?: boolean } = {}): Promise<WireConverged> {
    return this.#get(`/v2/converged/${revision}`, query);
  }

  /** Events as they come, from after the given revision on; ends when the signal is aborted. */
  async *events(query: { after?: number } = {}, signal?: AbortSignal): AsyncIterable<WireEvent> {
    const response = await this.#fetch('/v2/events', { query, ...(signal === undefined ? {} : { signal }) });
    if (!response.ok || response.body === null) throw await toError(response);
    let rest = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n\n');
      rest = parts.pop() ?? '';
      yield* parts.flatMap(parseEvent);
    }
  }

  /** Any other call: the body as JSON when it is JSON, else text. */
  async request(path: string, call: Call = {}): Promise<Changed<unknown>> {
    return this.#call(path, call);
  }

  async #get<T>(path: string, query: Query = {}): Promise<T> {
    return (await this.#call<T>(path, { query })).body;
  }

  #change<T>(path: string, call: Call): Promise<Changed<T>> {
    return this.#call<T>(path, call);
  }

  async #call<T>(path: string, call: Call): Promise<Changed<T>> {
    const response = await this.#fetch(path, call);
    if (!response.ok) throw await toError(response);
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    const body = (isJson && text !== '' ? JSON.parse(text) : text) as T;
    return { revision: Number(response.headers.get('x-drover-revision') ?? 0), body };
  }

  async #fetch(path: string, { method = 'GET', query = {}, body, text, signal }: Call): Promise<Response> {
    const url = new URL(path, this.#options.address);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined && value !== false) url.searchParams.set(key, String(value));
    }
    const headers: Record<string, string> = {};
    if (this.#options.token !== undefined) headers['x-consul-token'] = this.#options.token;
    if (body !== undefined) headers['content-type'] = 'application/json';
    try {
      return await (this.#options.fetch ?? fetch)(url, {
        method,
        headers,
        ...(body === undefined && text === undefined ? {} : { body: text ?? JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw new UnreachableError(this.#options.address, error);
    }
  }
}

async function toError(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    return new ApiError(response.status, (JSON.parse(text) as { error: WireError }).error);
  } catch {
    return new ApiError(response.status, {
      code: `HTTP_${response.status}`,
      message: text.trim() || response.statusText,
    });
  }
}

function parseEvent(block: string): WireEvent[] {
  const data = block.split('\n').filter((line) => line.startsWith('data:'));
  return data.length === 0 ? [] : [JSON.parse(data.map((line) => line.slice(5).trimStart()).join('\n')) as WireEvent];
}
