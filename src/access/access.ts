import type { Clock } from '../lib/index.ts';
import type { AclState } from './acl-state.ts';
import type { AgentTokens } from './agent-tokens.ts';
import type { AccessControl, Authority, Level, Resource } from './authority.ts';
import { ALL_ALLOWED } from './authority.ts';
import { ANONYMOUS, ANONYMOUS_SECRET } from './builtin.ts';
import { compileRules, type CompiledRules } from './compile-rules.ts';
import { decide, type Decision } from './decide.ts';
import { notFound, unknownToken } from './errors.ts';
import { recoveryRules } from './identities.ts';
import { secretHash, type Kept, type TokenRecord } from './records.ts';
import { managementAuthority, RuleAuthority } from './rule-authority.ts';
import { TokenRules } from './token-rules.ts';
import type { TokenWord } from './token-word.ts';

/** How an operator has access control. */
export interface AccessSettings {
  readonly enabled: boolean;
  readonly defaultPolicy: 'allow' | 'deny';
  /** Listing keys needs `list`, not only `read`. */
  readonly keyListPolicy: boolean;
  /** Policies and identities can be meant for some datacenters only. */
  readonly datacenter: string;
  /** The agent's own node, which its recovery token speaks of. */
  readonly node: string;
}

export interface AccessOptions {
  readonly state: AclState;
  readonly tokens: AgentTokens;
  readonly settings: AccessSettings;
  readonly clock: Clock;
}

/** A token's authority, until when. */
interface Known {
  readonly authority: Authority;
  /** On the wall clock: expiry is a date. */
  readonly expiresAtMs: number;
}

/** A decision with whose it is. */
export interface Explained extends Decision {
  readonly accessor: string;
  readonly isManagement: boolean;
}

/** So many tokens are remembered; then all are looked up anew. */
const MOST_KNOWN = 10_000;

/** What tokens may, by all tokens, policies and roles there are. */
export class Access implements AccessControl {
  readonly isEnabled: boolean;
  readonly defaultPolicy: 'allow' | 'deny';
  readonly keyListPolicy: boolean;
  readonly #state: AclState;
  readonly #tokens: AgentTokens;
  readonly #settings: AccessSettings;
  readonly #clock: Clock;
  readonly #rules: TokenRules;
  /** By the secret that is shown: hashing it for each request costs more than all the rest. In memory only. */
  readonly #known = new Map<string, Known>();
  #dns: Known | undefined;
  /** Rule sets by id: tokens with the same rules share one. */
  readonly #compiled = new Map<string, CompiledRules>();

  constructor({ state, tokens, settings, clock }: AccessOptions) {
    this.isEnabled = settings.enabled;
    this.defaultPolicy = settings.enabled ? settings.defaultPolicy : 'allow';
    this.keyListPolicy = settings.enabled && settings.keyListPolicy;
    this.#state = state;
    this.#tokens = tokens;
    this.#settings = settings;
    this.#clock = clock;
    this.#rules = new TokenRules(state, settings.datacenter);
    state.onChanged(() => this.#forget());
    tokens.onChanged(() => this.#forget());
  }

  /** @throws ACCESS_UNKNOWN_TOKEN */
  authorityOf(secret: string): Authority {
    if (!this.isEnabled) return ALL_ALLOWED;
    const known = this.#known.get(secret);
    if (known !== undefined && known.expiresAtMs > this.#clock.wall()) return known.authority;
    return this.#learn(secret, this.#hashOf(secret));
  }

  /** For what keeps a token's AccessorID instead of its secret. @throws ACCESS_UNKNOWN_TOKEN */
  authorityOfAccessor(accessor: string): Authority {
    if (!this.isEnabled) return ALL_ALLOWED;
    const { hash } = this.#living(this.#state.token(accessor)).record;
    // Never kept under what is no secret: whoever showed that would be taken for the token's bearer.
    return this.#authorityOfHash(hash).authority;
  }

  /**
   * What DNS questions may, which carry no token: that of the agent's `dns` token, else as a request without one, and
   * where there is no such token as nobody. Never throws: it is asked for each question.
   */
  dnsAuthority(): Authority {
    if (!this.isEnabled) return ALL_ALLOWED;
    if (this.#dns !== undefined && this.#dns.expiresAtMs > this.#clock.wall()) return this.#dns.authority;
    const token = this.#state.tokenByHash(this.#hashOf(this.#tokens.get('dns')));
    const isGood = token !== undefined && this.isLiving(token);
    const authority = this.authorityOf(isGood ? this.#tokens.get('dns') : ANONYMOUS_SECRET);
    this.#dns = { authority, expiresAtMs: isGood ? expiryOf(token.record) : Number.POSITIVE_INFINITY };
    return authority;
  }

  /** The token that a request shows, else the agent's default, else the anonymous one. @throws ACCESS_UNKNOWN_TOKEN */
  tokenOf(secret: string): Kept<TokenRecord> {
    return this.#living(this.#state.tokenByHash(this.#hashOf(secret)));
  }

  /** Whether it is still valid. */
  isLiving({ record }: Kept<TokenRecord>): boolean {
    return expiryOf(record) > this.#clock.wall();
  }

  /** Which rule lets a token do something, or keeps it from it. @throws ACCESS_NOT_FOUND for an unknown AccessorID */
  explain(accessor: string, resource: Resource, name: string, level: Level): Explained {
    const token = this.#state.token(accessor);
    if (token === undefined || !this.isLiving(token)) throw notFound(`no token has the AccessorID ${accessor}`);
    if (this.#rules.isManagement(token.record)) return { accessor, isManagement: true, allowed: true, rule: null };
    const rules = compileRules(this.#rules.of(token.record), this.defaultPolicy);
    return { accessor, isManagement: false, ...decide(rules, resource, name, level) };
  }

  /**
   * All that there is to say of a token to an agent, which decides by it on its own; of no secret of the anonymous token, whatever
   * this agent shows itself.
   *
   * @throws ACCESS_UNKNOWN_TOKEN
   */
  wordOf(secret: string): TokenWord {
    const { record } = this.#living(this.#state.tokenByHash(secretHash(secret || ANONYMOUS_SECRET)));
    const { accessor } = record;
    if (this.#rules.isManagement(record)) return { accessor, isManagement: true, rules: [] };
    const rules = this.#rules.of(record).map(({ resource, match, name, level }) => ({ resource, match, name, level }));
    return { accessor, isManagement: false, rules };
  }

  /** Of no secret that of the agent's default token, else the anonymous one. */
  #hashOf(secret: string): string {
    return secretHash(secret || this.#tokens.get('default') || ANONYMOUS_SECRET);
  }

  #learn(secret: string, hash: string): Authority {
    const known = this.#authorityOfHash(hash);
    if (this.#known.size >= MOST_KNOWN) this.#forget();
    this.#known.set(secret, known);
    return known.authority;
  }

  #authorityOfHash(hash: string): Known {
    const recovery = this.#tokens.get('agent_recovery');
    if (recovery !== '' && hash === secretHash(recovery)) {
      const rules = this.#shared(compileRules(recoveryRules(this.#settings.node), this.defaultPolicy));
      return { authority: new RuleAuthority('agent_recovery', rules), expiresAtMs: Number.POSITIVE_INFINITY };
    }
    const { record } = this.#living(this.#state.tokenByHash(hash));
    const expiresAtMs = expiryOf(record);
    if (this.#rules.isManagement(record)) return { authority: managementAuthority(record.accessor), expiresAtMs };
    const rules = this.#shared(compileRules(this.#rules.of(record), this.defaultPolicy));
    return { authority: new RuleAuthority(record.accessor, rules), expiresAtMs };
  }

  #living(token: Kept<TokenRecord> | undefined): Kept<TokenRecord> {
    if (token === undefined || !this.isLiving(token)) throw unknownToken();
    return token;
  }

  #shared(rules: CompiledRules): CompiledRules {
    const known = this.#compiled.get(rules.id);
    if (known === undefined) this.#compiled.set(rules.id, rules);
    return known ?? rules;
  }

  #forget(): void {
    this.#dns = undefined;
    this.#known.clear();
    this.#compiled.clear();
  }
}

/** Whether these words name the anonymous token. */
export function isAnonymous({ accessor }: Pick<Authority, 'accessor'>): boolean {
  return accessor === ANONYMOUS;
}

function expiryOf({ expiresAt }: TokenRecord): number {
  return expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
}
