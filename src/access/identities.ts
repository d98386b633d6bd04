import type { Resource } from './authority.ts';
import type { NodeIdentity, ServiceIdentity } from './records.ts';
import type { Rule, RuleLevel } from './rule.ts';

type Made = readonly [resource: Resource, match: Rule['match'], name: string, level: RuleLevel];

/** What an instance of a service needs: itself written, whoever it may ask for read. */
export function serviceIdentityRules({ serviceName }: ServiceIdentity): readonly Rule[] {
  return rulesFrom(`service identity ${serviceName}`, [
    ['service', 'exact', serviceName, 'write'],
    ['service', 'exact', `${serviceName}-sidecar-proxy`, 'write'],
    ['service', 'prefix', '', 'read'],
    ['node', 'prefix', '', 'read'],
  ]);
}

/** What the agent of a node needs. */
export function nodeIdentityRules({ nodeName }: NodeIdentity): readonly Rule[] {
  return rulesFrom(`node identity ${nodeName}`, [
    ['node', 'exact', nodeName, 'write'],
    ['service', 'prefix', '', 'read'],
  ]);
}

/** What the agent's recovery token may: this agent, whatever becomes of the region. */
export function recoveryRules(node: string): readonly Rule[] {
  return rulesFrom('the agent_recovery token', [
    ['agent', 'exact', node, 'write'],
    ['node', 'prefix', '', 'read'],
  ]);
}

function rulesFrom(from: string, made: readonly Made[]): readonly Rule[] {
  return made.map(([resource, match, name, level]) => ({
    resource,
    match,
    name,
    level,
    source: { from, place: null },
  }));
}
