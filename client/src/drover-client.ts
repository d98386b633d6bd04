import { UnreachableError } from './api-error.ts';
import { readEventStream } from './event-stream.ts';
import {
  askCall,
  errorOf,
  openCall,
  sendCall,
  type Asked,
  type Call,
  type Changed,
  type ClientOptions,
  type Query,
} from './send-call.ts';
import type {
  WireApplied,
  WireBalancer,
  WireCheckTransition,
  WireConverged,
  WireDatastore,
  WireEnvironment,
  WireEvent,
  WireHistoryItem,
  WireListener,
  WireLateness,
  WireMaintenance,
  WireDeployment,
  WireNode,
  WireNodeProvisions,
  WireProvision,
  WireRemovedDefinition,
  WireService,
  WireServiceDetail,
  WireStatus,
  WireTrace,
  WireWhy,
  WireUndone,
} from './wire.ts';

/**
 * drover's own HTTP API. Each method throws ApiError for an answer that is not a success, UnreachableError when nobody
 * answers and NotDroverError when somebody else does.
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

  /** Lets go of a suspected node that a partition alarm keeps from being down. */
  releaseNode(name: string): Promise<Changed<{ readonly node: string }>> {
    return this.#change(`/v2/nodes/${encodeURIComponent(name)}/release`, { method: 'PUT' });
  }

  /** Orders any node of the region to provision now. */
  async provisionNode(name: string, query: { cause?: string } = {}): Promise<void> {
    await this.#change(`/v2/nodes/${encodeURIComponent(name)}/provisions`, { method: 'POST', query });
  }

  /** The listener of any node of the region, and its latest provisions. */
  nodeProvisions(name: string): Promise<WireNodeProvisions> {
    return this.#get(`/v2/nodes/${encodeURIComponent(name)}/provisions`);
  }

  /** Whether the machine of a node is there, with or without its agent. */
  nodeMachine(name: string): Promise<{ readonly answers: boolean }> {
    return this.#get(`/v2/nodes/${encodeURIComponent(name)}/machine`);
  }

  deployment(id: string): Promise<WireDeployment> {
    return this.#get(`/v2/deployments/${encodeURIComponent(id)}`);
  }

  /** Writes how far a deployment has come, if nobody else did since its revision. */
  async saveDeployment(id: string, state: WireDeployment): Promise<{ readonly revision: number }> {
    const { body } = await this.#change<{ readonly revision: number }>(`/v2/deployments/${encodeURIComponent(id)}`, {
      method: 'PUT',
      body: state,
    });
    return body;
  }

  /** Applies definitions, all or none; with `dryRun` only says what would be refused or warned of. */
  applyDefinitions(definitions: readonly object[], query: { dryRun?: boolean } = {}): Promise<Changed<WireApplied>> {
    return this.#change('/v2/definitions', { method: 'PUT', body: definitions, query });
  }

  /** Takes a node or one of its services out of DNS and balancers, or back in. */
  maintenance(
    enable: boolean,
    query: { node?: string; service?: string; reason?: string } = {},
  ): Promise<Changed<WireMaintenance>> {
    return this.#change('/v2/maintenance', { method: 'PUT', query: { ...query, enable: String(enable) } });
  }

  definitions(): Promise<Record<string, unknown>[]> {
    return this.#get('/v2/definitions');
  }

  removeDefinition(id: string, query: { federation?: string } = {}): Promise<Changed<WireRemovedDefinition>> {
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
    return this.#change<WireListener>(`/v2/listener/${to}`, { method: 'POST', query }).then(({ body }) => body);
  }

  /** The latest provisions of a node, newest first. */
  provisions(query: { node?: string } = {}): Promise<WireProvision[]> {
    return this.#get('/v2/provisions', query);
  }

  provision(query: { node?: string } = {}): Promise<WireListener> {
    return this.#change<WireListener>('/v2/provisions', { method: 'POST', query }).then(({ body }) => body);
  }

  /** A node's balancer as its runtime has it. */
  balancer(query: { node?: string } = {}): Promise<WireBalancer> {
    return this.#get('/v2/balancer', query);
  }

  /** How far a revision has arrived; `latest` = the newest revision that concerns anyone. */
  trace(revision: number | 'latest'): Promise<WireTrace> {
    return this.#get(`/v2/trace/${revision}`);
  }

  /** Waits until a revision has arrived everywhere, or it is known that it will not for now. */
  converged(revision: number, query: { wait?: string; provisions?: boolean } = {}): Promise<WireConverged> {
    return this.#get(`/v2/converged/${revision}`, query);
  }

  /** Whether a token, by its AccessorID or `self`, may do something, and which rule decides. */
  why(query: { token: string; resource: string; name: string; level: string }): Promise<WireWhy> {
    return this.#get('/v2/access/why', query);
  }

  /** Who has not taken up everything that concerns them, the longest first. */
  late(): Promise<WireLateness[]> {
    return this.#get('/v2/late');
  }

  /** Who changed what, newest first. */
  history(query: {
    kind?: 'kv' | 'def' | 'ds' | 'acl';
    subject?: string;
    prefix?: string;
    since?: number | string;
    limit?: number;
  }): Promise<WireHistoryItem[]> {
    return this.#get('/v2/history', query);
  }

  /** Puts back what was before a change. */
  undo(body: { revision: number; kind: string; subject?: string; force?: boolean }): Promise<Changed<WireUndone>> {
    return this.#change('/v2/history/undo', { method: 'POST', body });
  }

  /** The last transitions of a check, newest first. */
  checkHistory(node: string, check: string): Promise<WireCheckTransition[]> {
    return this.#get(`/v2/nodes/${encodeURIComponent(node)}/checks/${encodeURIComponent(check)}/history`);
  }

  /** The whole state as an archive. */
  async snapshot(): Promise<Uint8Array> {
    const path = '/v1/snapshot';
    const response = await openCall(this.#options, path, {});
    if (!response.ok) throw await errorOf(this.#options, path, response);
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      throw new UnreachableError(this.#options.address, error, 'the snapshot broke off');
    }
  }

  /** Puts such an archive in place of everything. */
  restore(archive: Uint8Array): Promise<Changed<unknown>> {
    return this.#change('/v1/snapshot', { method: 'PUT', text: archive });
  }

  /**
   * Events as they come, from after the given revision on; ends when the signal is aborted or the agent ends the stream.
   * Go on with the `id` of the last event.
   *
   * @throws UnreachableError when the stream breaks off
   */
  async *events(query: { after?: number } = {}, signal?: AbortSignal): AsyncGenerator<WireEvent, void> {
    const path = '/v2/events';
    const response = await openCall(this.#options, path, { query, ...(signal === undefined ? {} : { signal }) });
    if (!response.ok || response.body === null) throw await errorOf(this.#options, path, response);
    try {
      for await (const { id, data } of readEventStream(response.body.pipeThrough(new TextDecoderStream()))) {
        yield { ...(JSON.parse(data) as WireEvent), id: Number(id) };
      }
    } catch (error) {
      if (signal?.aborted === true) return;
      const { address } = this.#options;
      throw new UnreachableError(address, error, `the events of ${address} broke off`);
    }
  }

  /** Any other call: the body as JSON when it is JSON, else text. */
  request(path: string, call: Call = {}): Promise<Changed<unknown>> {
    return sendCall(this.#options, path, call);
  }

  /** The answer to a question as it is, whatever its status: for blocking queries, whose index is in their headers. */
  async ask(path: string, signal?: AbortSignal): Promise<Asked> {
    return askCall(this.#options, path, signal);
  }

  async #get<T>(path: string, query: Query = {}): Promise<T> {
    return (await sendCall<T>(this.#options, path, { query })).body;
  }

  #change<T>(path: string, call: Call): Promise<Changed<T>> {
    return sendCall<T>(this.#options, path, call);
  }
}
