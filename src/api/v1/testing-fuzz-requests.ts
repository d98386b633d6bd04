import type { AskOptions } from '../testing.ts';
import type { V1Route } from './exchange.ts';
import { BODIES, KEYS, METHODS, OPERATIONS, PARAMETERS, RAW, VALUES, WORDS } from './testing-fuzz-words.ts';

/** A request at random. */
export interface FuzzRequest extends AskOptions {
  readonly method: string;
  readonly url: string;
}

/** An endpoint as far as requests are made for it. */
export type FuzzEndpoint = Pick<V1Route, 'path' | 'methods'>;

/** They answer until the client goes. */
const STREAMS: ReadonlySet<string> = new Set(['agent/monitor', 'agent/metrics/stream']);
const KEPT_IDS = 20;
const ID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g;

/** Requests over all endpoints that are given, the same for the same seed and answers. */
export class FuzzRequests {
  #state: number;
  readonly #endpoints: readonly FuzzEndpoint[];
  readonly #tokens: readonly string[];
  /** Ids of sessions, policies, queries… that answers named. */
  #ids: string[] = [];

  constructor(seed: number, endpoints: readonly FuzzEndpoint[], tokens: readonly string[] = []) {
    this.#state = seed >>> 0 || 1;
    this.#endpoints = endpoints.filter(({ path }) => !STREAMS.has(path));
    this.#tokens = tokens;
  }

  next(): FuzzRequest {
    const { path, methods } = this.#pick(this.#endpoints);
    const start = this.#chance(0.02) ? this.#pick(WORDS) : path;
    const rest = start.endsWith('/') ? this.#argument() : '';
    const count = this.#chance(0.5) ? 0 : this.#below(4);
    const parameters = Array.from({ length: count }, () => `${this.#pick(PARAMETERS)}=${this.#value()}`);
    const url = `/v1/${start}${rest}${count === 0 ? '' : `?${parameters.join('&')}`}`;
    const method = this.#chance(0.05) ? this.#pick(METHODS) : this.#pick(Object.keys(methods));
    return { method, url, headers: this.#headers(), ...(this.#chance(0.6) ? { body: this.#body(path) } : {}) };
  }

  /** Remembers the ids that an answer names, so that later requests are about what there is. */
  learn(text: string): void {
    const found = text.match(ID);
    if (found !== null) this.#ids = [...new Set([...found.slice(0, KEPT_IDS), ...this.#ids])].slice(0, KEPT_IDS);
  }

  #headers(): Record<string, string> {
    const encoding = this.#chance(0.1) ? { 'accept-encoding': this.#pick(['gzip', 'gzip;q=x', ',,;', '*']) } : {};
    const token = this.#tokens.length === 0 ? {} : { 'x-consul-token': this.#pick(this.#tokens) };
    return { ...encoding, ...token };
  }

  #argument(): string {
    if (this.#ids.length > 0 && this.#chance(0.3)) return this.#pick(this.#ids);
    if (this.#chance(0.2)) return this.#pick(RAW) + this.#pick(WORDS.slice(1, 7));
    return encodeURIComponent(this.#pick(WORDS));
  }

  /** A blocking read would wait on a clock that nobody moves: waits are kept to what ends at once or is refused. */
  #value(): string {
    if (this.#ids.length > 0 && this.#chance(0.15)) return this.#pick(this.#ids);
    return this.#chance(0.3) ? encodeURIComponent(this.#pick(WORDS)) : this.#pick(VALUES);
  }

  #body(path: string): string {
    if (this.#chance(0.1)) return this.#pick(['{', '', '[]', 'null', '"\\ud800"', '{"Name":', '\u0000', '[[[[[[']);
    if (path !== 'txn') return JSON.stringify(this.#object(0, path));
    return JSON.stringify(Array.from({ length: this.#below(5) }, () => this.#operation()));
  }

  /** One that can be, now and then with a member that cannot. */
  #operation(): unknown {
    const operation = this.#pick(OPERATIONS);
    if (this.#chance(0.8)) return operation;
    const [[kind, fields] = ['KV', {}]] = Object.entries(operation) as [string, object][];
    return { [kind]: { ...fields, [this.#pick(KEYS)]: this.#any(1) } };
  }

  #object(depth: number, path = ''): Record<string, unknown> {
    const entries = Array.from({ length: 1 + this.#below(5) }, () => [this.#pick(KEYS), this.#any(depth + 1)] as const);
    const fitting = BODIES.find(([start]) => path.startsWith(start))?.[1] ?? {};
    const sound = depth === 0 && this.#chance(0.7) ? Object.entries(fitting) : [];
    return Object.fromEntries(sound.length > 0 && this.#chance(0.5) ? sound : [...sound, ...entries]);
  }

  #any(depth: number): unknown {
    const kind = this.#below(depth > 3 ? 5 : 8);
    if (kind < 3) return this.#text();
    if (kind === 3) return this.#pick([0, 1, -1, 80, 65_536, 1.5, 1e300, 10_000_000_000]);
    if (kind === 4) return this.#pick([null, true, false]);
    if (kind === 5) return Array.from({ length: this.#below(3) }, () => this.#any(depth + 1));
    return this.#object(depth + 1);
  }

  #text(): string {
    if (this.#ids.length > 0 && this.#chance(0.2)) return this.#pick(this.#ids);
    return this.#pick([
      ...WORDS,
      '10s',
      '10x',
      'passing',
      'critical',
      'http://127.0.0.1:1/',
      'x\n',
      'key "a" {',
      '${match(0)}',
    ]);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #chance(probability: number): boolean {
    return this.#below(1_000) < probability * 1_000;
  }

  /** mulberry32: enough for tests, and the same everywhere. */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}
