import { AgentTokens } from '../access/index.ts';
import { AgentTokenFile } from './agent-token-file.ts';
import type { AgentConfig } from './config/config.ts';
import type { AccessOptions } from './region/region-options.ts';
import { takeResetIndex } from './reset-file.ts';

/** Access control by the agent's configuration; `node` is its first. @throws AGENT_TOKEN_FILE */
export async function accessOptionsOf(
  { acl, dataDirectory, datacenter, legacy }: Pick<AgentConfig, 'acl' | 'dataDirectory' | 'datacenter' | 'legacy'>,
  node: string,
): Promise<AccessOptions> {
  const { enabled, defaultPolicy, keyListPolicy, tokens: configured, initialManagement } = acl;
  const file = enabled && acl.tokenPersistence ? new AgentTokenFile(dataDirectory) : null;
  const kept = (await file?.read()) ?? {};
  const keeping = file === null ? {} : { keep: file.keep.bind(file) };
  return {
    settings: { enabled, defaultPolicy, keyListPolicy, datacenter, node },
    legacy,
    tokens: new AgentTokens({ configured, kept, ...keeping }),
    initialManagement,
    takeResetIndex: () => takeResetIndex(dataDirectory),
  };
}
