import { type AccessControl, compileRules, parseRules, RuleAuthority } from '../../access/index.ts';

/** Access control, closed by default, in which everyone may what these rules say. */
export function accessByRules(rules: string, options: Partial<AccessControl> = {}): AccessControl {
  const authority = new RuleAuthority('tester', compileRules(parseRules(rules, { from: 'a test' }), 'deny'));
  return { isEnabled: true, defaultPolicy: 'deny', authorityOf: () => authority, ...options };
}
