import type { AgentTokenSecrets } from '../../access/index.ts';
import type { ConfigInput } from './schema.ts';

/** How access control is, with every default filled in. */
export interface AclConfig {
  readonly enabled: boolean;
  readonly defaultPolicy: 'allow' | 'deny';
  readonly keyListPolicy: boolean;
  readonly tokenPersistence: boolean;
  /** The secret of a management token that there shall be; null = none. */
  readonly initialManagement: string | null;
  /** The agent's own tokens. */
  readonly tokens: AgentTokenSecrets;
}

/** Access control as it is configured; the newer spelling wins over the older. Pure. */
export function aclConfigOf(input: Partial<ConfigInput>): AclConfig {
  const { acl = {} } = input;
  const { tokens = {} } = acl;
  return Object.freeze({
    // Consul of before 1.4 has access control on as soon as it knows whose datacenter decides.
    enabled: acl.enabled ?? (input.acl_datacenter ?? '') !== '',
    defaultPolicy: acl.default_policy ?? input.acl_default_policy ?? 'allow',
    keyListPolicy: acl.enable_key_list_policy ?? false,
    tokenPersistence: acl.enable_token_persistence ?? false,
    initialManagement: tokens.initial_management || tokens.master || input.acl_master_token || null,
    tokens: given({
      default: tokens.default || input.acl_token,
      agent: tokens.agent || input.acl_agent_token,
      agent_recovery: tokens.agent_recovery || tokens.agent_master || input.acl_agent_master_token,
      replication: tokens.replication || input.acl_replication_token,
      dns: tokens.dns,
      config_file_service_registration: tokens.config_file_service_registration,
    }),
  });
}

function given(secrets: Readonly<Record<string, string | undefined>>): AgentTokenSecrets {
  return Object.freeze(Object.fromEntries(Object.entries(secrets).filter(([, secret]) => (secret ?? '') !== '')));
}

/** So short a secret can be guessed. */
const SHORT = 16;

/** What an operator should hear about it. Pure. */
export function aclWarnings({ enabled, initialManagement, tokens }: AclConfig): string[] {
  const hasTokens = initialManagement !== null || Object.keys(tokens).length > 0;
  if (!enabled)
    return hasTokens ? ['there are tokens in the configuration, but acl.enabled is not true: they mean nothing'] : [];
  if (initialManagement === null || initialManagement.length >= SHORT) return [];
  return [`the initial management token has fewer than ${SHORT} characters and can be guessed: take a UUID`];
}
