import { z } from 'zod';

/** Empty is none, as generated configurations write it. */
const secret = z.string();
const policy = z.enum(['allow', 'deny']);
const down = z.enum(['allow', 'deny', 'extend-cache', 'async-cache']);

const tokens = z
  .strictObject({
    initial_management: secret.optional().describe('A management token that is made at the start where there is none.'),
    master: secret.optional().describe('Consul’s old name of `initial_management`.'),
    default: secret.optional().describe('What a request without a token may; default: the anonymous token.'),
    agent: secret.optional().describe('Taken; an agent’s own part of a server needs none.'),
    agent_recovery: secret.optional().describe('Allows agent calls on this agent, whatever becomes of the region.'),
    agent_master: secret.optional().describe('Consul’s old name of `agent_recovery`.'),
    replication: secret.optional().describe('Taken; there is nothing to replicate.'),
    dns: secret.optional().describe('What DNS answers may show; default: as a request without a token.'),
    config_file_service_registration: secret.optional().describe('Taken; services in files are the operator’s.'),
  })
  .describe('Secrets of tokens.');

/** Consul's `acl`. */
export const aclSchema = z
  .strictObject({
    enabled: z.boolean().optional().describe('Whether tokens decide who may do what; default `false`.'),
    default_policy: policy.optional().describe('What is said where no rule speaks: `allow` (default) or `deny`.'),
    down_policy: down
      .optional()
      .describe('Taken; a server has every token in memory, so that none is ever out of reach.'),
    enable_key_list_policy: z.boolean().optional().describe('Listing keys needs `list` on the prefix, not `read`.'),
    enable_token_persistence: z
      .boolean()
      .optional()
      .describe('Keeps tokens set by `PUT /v1/agent/token/…` in the data directory, 0600.'),
    tokens: tokens.optional(),
  })
  .describe('Access control: tokens, policies, roles.');

/** Consul's spellings of before 1.4, at the top level. */
export const oldAclFields = {
  acl_datacenter: z.string().optional().describe('Consul’s old spelling: switches access control on.'),
  primary_datacenter: z.string().optional().describe('Taken; there is one datacenter.'),
  acl_default_policy: policy.optional().describe('Consul’s old spelling of `acl.default_policy`.'),
  acl_down_policy: down.optional().describe('Consul’s old spelling of `acl.down_policy`.'),
  acl_master_token: secret.optional().describe('Consul’s old spelling of `acl.tokens.initial_management`.'),
  acl_token: secret.optional().describe('Consul’s old spelling of `acl.tokens.default`.'),
  acl_agent_token: secret.optional().describe('Consul’s old spelling of `acl.tokens.agent`.'),
  acl_agent_master_token: secret.optional().describe('Consul’s old spelling of `acl.tokens.agent_recovery`.'),
  acl_replication_token: secret.optional().describe('Consul’s old spelling of `acl.tokens.replication`.'),
};
