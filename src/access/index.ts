export * from './authority.ts';
export * from './errors.ts';
export type { AccessParts } from './access-parts.ts';
export { Access, type AccessOptions, type AccessSettings, type Explained } from './access.ts';
export type { GrantsInput, LinkInput, PolicyInput, RoleInput, TokenInput } from './access-input.ts';
export {
  AccessWrites,
  type AccessWritesOptions,
  type AclWritten,
  type ByToken,
  type MadeToken,
} from './access-writes.ts';
export { AclState } from './acl-state.ts';
export type { AclFeed } from './acl-transaction.ts';
export { agentTokenKind, AgentTokens, type AgentTokenKind, type AgentTokenSecrets } from './agent-tokens.ts';
export { ANONYMOUS, ANONYMOUS_SECRET, GLOBAL_MANAGEMENT } from './builtin.ts';
export { compileRules, type CompiledRules } from './compile-rules.ts';
export { decide, decideUnder, type Decision } from './decide.ts';
export { parseRules } from './parse-rules.ts';
export * from './records.ts';
export { RemoteAccess, type AskedToken, type RemoteAccessOptions } from './remote-access.ts';
export { RuleAuthority } from './rule-authority.ts';
export { NAMED, SCALAR, selectorOf, type Rule, type RuleLevel } from './rule.ts';
export type { TokenWord } from './token-word.ts';
export { TokenExpiry, type TokenExpiryOptions } from './token-expiry.ts';
