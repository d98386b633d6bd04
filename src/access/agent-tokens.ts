import { KeyedQueue } from '../lib/index.ts';

/** What an agent itself shows tokens for (consul-http-api 8, 13). */
export type AgentTokenKind =
  | 'default'
  | 'agent'
  | 'agent_recovery'
  | 'replication'
  | 'dns'
  | 'config_file_service_registration';

/** Consul's names of them, the old ones too. */
const NAMES: Readonly<Record<string, AgentTokenKind>> = {
  default: 'default',
  acl_token: 'default',
  agent: 'agent',
  acl_agent_token: 'agent',
  agent_recovery: 'agent_recovery',
  agent_master: 'agent_recovery',
  acl_agent_master_token: 'agent_recovery',
  replication: 'replication',
  acl_replication_token: 'replication',
  dns: 'dns',
  config_file_service_registration: 'config_file_service_registration',
};

/** Secrets by kind; a kind that is missing has none. */
export type AgentTokenSecrets = Readonly<Partial<Record<AgentTokenKind, string>>>;

/** The kind that a name of Consul's stands for; undefined for none. */
export function agentTokenKind(name: string): AgentTokenKind | undefined {
  return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}

export interface AgentTokensOptions {
  /** From the configuration. */
  readonly configured?: AgentTokenSecrets;
  /** What was set over the API before, which wins. */
  readonly kept?: AgentTokenSecrets;
  /** Keeps what is set over the API; absent where it goes with the process. */
  readonly keep?: (secrets: AgentTokenSecrets) => Promise<void>;
}

/** The tokens of the agent itself: from its configuration, and as set over the API. */
export class AgentTokens {
  #configured: AgentTokenSecrets;
  #set: AgentTokenSecrets;
  readonly #keep: (secrets: AgentTokenSecrets) => Promise<void>;
  readonly #listeners = new Set<() => void>();
  readonly #queue = new KeyedQueue();

  constructor(options: AgentTokensOptions = {}) {
    this.#configured = options.configured ?? {};
    this.#set = options.kept ?? {};
    this.#keep = options.keep ?? (() => Promise.resolve());
  }

  /** The secret of a kind; empty when it has none. */
  get(kind: AgentTokenKind): string {
    return this.#set[kind] ?? this.#configured[kind] ?? '';
  }

  /** Takes one over the API; empty takes it away. Rejects with what keeping it rejects with, and then nothing changed. */
  set(kind: AgentTokenKind, secret: string): Promise<void> {
    // One after the other: each writes all of them.
    return this.#queue.run('', async () => {
      const next = { ...this.#set, [kind]: secret };
      await this.#keep(next);
      this.#set = next;
      this.#tell();
    });
  }

  /** Takes those of a configuration that was read again; what was set over the API stays. */
  configure(secrets: AgentTokenSecrets): void {
    this.#configured = secrets;
    this.#tell();
  }

  onChanged(listen: () => void): () => void {
    this.#listeners.add(listen);
    return () => void this.#listeners.delete(listen);
  }

  #tell(): void {
    for (const listen of this.#listeners) listen();
  }
}
