import type { Clock } from '../lib/index.ts';
import type { AccessSettings } from './access.ts';
import type { AgentTokens } from './agent-tokens.ts';
import type { AccessControl, Authority } from './authority.ts';
import { ALL_ALLOWED } from './authority.ts';
import { ANONYMOUS, ANONYMOUS_SECRET } from './builtin.ts';
import { compileRules } from './compile-rules.ts';
import { unknownToken } from './errors.ts';
import { recoveryRules } from './identities.ts';
import { secretHash } from './records.ts';
import { managementAuthority, RuleAuthority } from './rule-authority.ts';
import { parseTokenWord, type TokenWord } from './token-word.ts';

/** A server's word on a token, and how long it is good for. */
export interface AskedToken {
  readonly word: unknown;
  readonly ttlMs: number;
}

export interface RemoteAccessOptions {
  /** Asks a server; null: there is no such token. Rejects when none can be asked. */
  readonly ask: (secret: string) => Promise<AskedToken | null>;
  readonly settings: AccessSettings;
  readonly tokens: AgentTokens;
  readonly clock: Pick<Clock, 'now'>;
}

interface Known {
  /** null: there is no such token. */
  readonly authority: Authority | null;
  /** Monotonic ms from which on it is asked for anew. */
  readonly untilMs: number;
}

/** So many tokens are remembered, the oldest go first. */
const MOST_KNOWN = 10_000;

/**
 * What tokens may at an agent whose region is elsewhere: as a server said it, and while none can be asked as it was said last. Of a
 * token that was never asked for nothing is known, and so it may nothing. Secrets are remembered as hashes only.
 */
export class RemoteAccess implements AccessControl {
  readonly isEnabled: boolean;
  readonly defaultPolicy: 'allow' | 'deny';
  readonly keyListPolicy: boolean;
  readonly #options: RemoteAccessOptions;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<void>>();

  constructor(options: RemoteAccessOptions) {
    const { settings } = options;
    this.#options = options;
    this.isEnabled = settings.enabled;
    this.defaultPolicy = settings.enabled ? settings.defaultPolicy : 'allow';
    this.keyListPolicy = settings.enabled && settings.keyListPolicy;
  }

  prepare(shown: string): Promise<void> | undefined {
    if (!this.isEnabled) return undefined;
    const secret = this.#secretOf(shown);
    const key = secretHash(secret);
    const known = this.#known.get(key);
    if (this.#isRecovery(secret) || (known !== undefined && known.untilMs > this.#options.clock.now()))
      return undefined;
    const asking = this.#asking.get(key) ?? this.#ask(secret, key).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  /** @throws ACCESS_UNKNOWN_TOKEN */
  authorityOf(shown: string): Authority {
    if (!this.isEnabled) return ALL_ALLOWED;
    const secret = this.#secretOf(shown);
    if (this.#isRecovery(secret)) return this.#recovery();
    // What goes on for long asks again and again: the next time it knows better.
    void this.prepare(shown);
    const known = this.#known.get(secretHash(secret));
    if (known === undefined) return NOTHING_KNOWN;
    if (known.authority === null) throw unknownToken();
    return known.authority;
  }

  /** Never rejects. */
  async #ask(secret: string, key: string): Promise<void> {
    try {
      const asked = await this.#options.ask(secret);
      const word = asked === null ? null : parseTokenWord(asked.word);
      if (word === undefined) return;
      if (!this.#hasRoom(key, word !== null)) return;
      const untilMs = this.#options.clock.now() + (asked?.ttlMs ?? UNKNOWN_TTL_MS);
      this.#known.set(key, { authority: word === null ? null : this.#authority(word), untilMs });
    } catch {
      // No server can be asked: what was said last goes on (Consul's `extend-cache`), and it is asked for again next time.
    }
  }

  /** Words on tokens that are none, of which anybody can ask for any number, push nobody's out. */
  #hasRoom(key: string, isToken: boolean): boolean {
    if (this.#known.has(key) || this.#known.size < MOST_KNOWN) return true;
    const [oldest] = this.#known.keys();
    if (isToken && oldest !== undefined) this.#known.delete(oldest);
    return isToken;
  }

  #authority({ accessor, isManagement, rules }: TokenWord): Authority {
    if (isManagement) return managementAuthority(accessor);
    const source = { from: 'the region', place: null };
    const sourced = rules.map((rule) => ({ ...rule, source }));
    return new RuleAuthority(accessor, compileRules(sourced, this.defaultPolicy));
  }

  /** Of no secret that of the agent's default token, else the anonymous one. */
  #secretOf(shown: string): string {
    return shown || this.#options.tokens.get('default') || ANONYMOUS_SECRET;
  }

  #isRecovery(secret: string): boolean {
    const recovery = this.#options.tokens.get('agent_recovery');
    return recovery !== '' && secretHash(recovery) === secretHash(secret);
  }

  #recovery(): Authority {
    const rules = recoveryRules(this.#options.settings.node);
    return new RuleAuthority('agent_recovery', compileRules(rules, this.defaultPolicy));
  }
}

/** A token that does not exist may exist soon. */
const UNKNOWN_TTL_MS = 5_000;
const NOTHING_KNOWN: Authority = new RuleAuthority(ANONYMOUS, compileRules([], 'deny'));
