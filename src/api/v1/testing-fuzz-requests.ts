import type { AskOptions } from '../testing.ts';

/** A request at random. */
export interface FuzzRequest extends AskOptions {
  readonly method: string;
  readonly url: string;
}

const METHODS = ['GET', 'PUT', 'DELETE', 'POST', 'HEAD', 'OPTIONS', 'PATCH', 'PROPFIND'];
const PATHS =
  `kv/ catalog/register catalog/deregister catalog/datacenters catalog/nodes catalog/services catalog/service/
  catalog/node/ catalog/node-services/ catalog/connect/ health/service/ health/checks/ health/node/ health/state/
  agent/self agent/members agent/version agent/services agent/service/ agent/checks agent/health/service/id/
  agent/health/service/name/ agent/service/register agent/service/deregister/ agent/service/maintenance/
  agent/check/register agent/check/deregister/ agent/check/pass/ agent/check/update/ agent/maintenance agent/join/
  agent/force-leave/ agent/host agent/metrics status/leader
  event/fire/ event/list acl/ txn txn session/create session/destroy/ session/renew/
  session/info/ session/node/ session/list query query/ query/web/execute query/web/explain`.split(/\s+/);
const WORDS = [
  '',
  'a',
  'web',
  'n1',
  'any',
  'service:web',
  'x/y',
  '..',
  '__proto__',
  'constructor',
  'ü',
  '\0',
  '😀',
  '%',
];
const RAW = ['%', '%f', '%ff', '%00', '%C3', '+', '//', ';', '#', '?', '%25', '\u00ff'];
const PARAMETERS =
  `index wait stale consistent cached max_stale dc ns filter tag node-meta passing recurse keys separator raw
  flags cas acquire enable reason note name node format hash pretty near limit replace-existing-checks __proto__`.split(
    /\s+/,
  );
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '18446744073709551615',
  '1e9',
  'x',
  'true',
  '0s',
  '1ms',
  '-1s',
  'a:b',
  '%ff',
  '[',
  'Node==a',
  '(a',
];
const KEYS =
  `Name name ID Node Address Service Check Checks Tags Meta Port Weights TTL HTTP TCP Interval Timeout Status Output
  UDP GRPC GRPCUseTLS H2PING OSService AliasService AliasNode DockerContainerID Shell
  ServiceID CheckID Datacenter NodeMeta TaggedAddresses Definition Header Notes EnableTagOverride Connect SidecarService Proxy
  Args Script DeregisterCriticalServiceAfter __proto__ constructor SkipNodeUpdate Template Type Regexp Failover NearestN Near DNS
  Token Session OnlyPassing IgnoreCheckIDs`.split(/\s+/);

const CHANGES = /register|maintenance|check\/(?:pass|update)|fire|txn|session\/(?:create|destroy|renew)/;
const VERBS =
  'set cas lock unlock get get-or-empty get-tree check-index check-session check-not-exists delete delete-cas delete-tree'.split(
    ' ',
  );
/** What most endpoints take. */
const SOUND = {
  Name: 'web',
  Node: 'n9',
  Address: '10.0.0.9',
  Service: { Service: 'web' },
  Status: 'passing',
  TTL: '10s',
};

/** Requests over all endpoints, the same for the same seed. */
export class FuzzRequests {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  next(): FuzzRequest {
    const path = this.#chance(0.05) ? this.#pick(WORDS) : this.#pick(PATHS);
    const rest = path.endsWith('/') ? this.#argument() : '';
    const count = this.#chance(0.5) ? 0 : this.#below(4);
    const parameters = Array.from({ length: count }, () => `${this.#pick(PARAMETERS)}=${this.#value()}`);
    const url = `/v1/${path}${rest}${count === 0 ? '' : `?${parameters.join('&')}`}`;
    const method = this.#chance(0.1) ? this.#pick(METHODS) : this.#methodOf(path);
    const headers = this.#chance(0.2) ? { 'accept-encoding': this.#pick(['gzip', 'gzip;q=x', ',,;', '*']) } : {};
    return {
      method,
      url,
      headers,
      ...(this.#chance(0.6) ? { body: path === 'txn' ? this.#txn() : this.#body() } : {}),
    };
  }

  #methodOf(path: string): string {
    if (path === 'kv/') return this.#pick(['GET', 'PUT', 'DELETE']);
    if (path.startsWith('query')) return this.#pick(['GET', 'POST', 'PUT', 'DELETE']);
    return CHANGES.test(path) ? 'PUT' : 'GET';
  }

  #argument(): string {
    if (this.#chance(0.2)) return this.#pick(RAW) + this.#pick(WORDS.slice(1, 7));
    return encodeURIComponent(this.#pick(WORDS));
  }

  /** A blocking read would wait on a clock that nobody moves: waits are kept to what ends at once or is refused. */
  #value(): string {
    return this.#chance(0.3) ? encodeURIComponent(this.#pick(WORDS)) : this.#pick(VALUES);
  }

  #body(): string {
    if (this.#chance(0.1)) return this.#pick(['{', '', '[]', 'null', '"\\ud800"', '{"Name":', '\u0000', '[[[[[[']);
    return JSON.stringify(this.#object(0));
  }

  /** A list of operations, most of which could be. */
  #txn(): string {
    if (this.#chance(0.1)) return this.#body();
    const ops = Array.from({ length: this.#below(5) }, () => {
      const kind = this.#pick(['KV', 'KV', 'Node', 'Service', 'Check', 'Session', 'x']);
      const [Verb, Key] = [this.#chance(0.9) ? this.#pick(VERBS) : this.#pick(WORDS), this.#pick(WORDS)];
      const own = kind === 'KV' ? { Key, Value: this.#pick(['', 'eA==', 'x']) } : { [kind]: this.#object(1) };
      return { [kind]: { Verb, ...own, ...(this.#chance(0.3) ? this.#object(1) : {}) } };
    });
    return JSON.stringify(ops);
  }

  #object(depth: number): Record<string, unknown> {
    const entries = Array.from({ length: 1 + this.#below(5) }, () => [this.#pick(KEYS), this.#any(depth + 1)] as const);
    const sound = depth === 0 && this.#chance(0.7) ? Object.entries(SOUND) : [];
    return Object.fromEntries(sound.length > 0 && this.#chance(0.5) ? sound : [...sound, ...entries]);
  }

  #any(depth: number): unknown {
    const kind = this.#below(depth > 3 ? 5 : 8);
    if (kind < 3) return this.#pick([...WORDS, '10s', '10x', 'passing', 'critical', 'http://127.0.0.1:1/', 'x\n']);
    if (kind === 3) return this.#pick([0, 1, -1, 80, 65_536, 1.5, 1e300, 10_000_000_000]);
    if (kind === 4) return this.#pick([null, true, false]);
    if (kind === 5) return Array.from({ length: this.#below(3) }, () => this.#any(depth + 1));
    return this.#object(depth + 1);
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
