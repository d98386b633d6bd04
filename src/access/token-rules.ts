import type { AclState } from './acl-state.ts';
import { GLOBAL_MANAGEMENT } from './builtin.ts';
import { nodeIdentityRules, serviceIdentityRules } from './identities.ts';
import { parseRules } from './parse-rules.ts';
import type { Grants, PolicyRecord, TokenRecord } from './records.ts';
import type { Rule } from './rule.ts';

/** The rules of tokens: those of their policies, roles and identities together, as far as they count in a datacenter. */
export class TokenRules {
  readonly #state: AclState;
  readonly #datacenter: string;
  /** Policies are parsed once. */
  readonly #parsed = new WeakMap<PolicyRecord, readonly Rule[]>();

  constructor(state: AclState, datacenter: string) {
    this.#state = state;
    this.#datacenter = datacenter;
  }

  /** Whether a token may do everything. */
  isManagement(token: TokenRecord): boolean {
    if (token.legacy?.type === 'management') return true;
    return this.#grants(token).some(({ policies }) => policies.includes(GLOBAL_MANAGEMENT));
  }

  of(token: TokenRecord): readonly Rule[] {
    const { legacy } = token;
    const own = legacy === undefined ? [] : parseRules(legacy.rules, { from: `token ${token.accessor}`, legacy: true });
    return [...own, ...this.#grants(token).flatMap((grants) => this.#ofGrants(grants))];
  }

  #grants(token: TokenRecord): readonly Grants[] {
    return [token, ...token.roles.flatMap((id) => this.#state.role(id)?.record ?? [])];
  }

  #ofGrants({ policies, serviceIdentities, nodeIdentities }: Grants): readonly Rule[] {
    // What was deleted since grants nothing any more.
    const linked = policies.flatMap((id) => this.#state.policy(id)?.record ?? []);
    return [
      ...linked.filter((policy) => this.#counts(policy.datacenters)).flatMap((policy) => this.#ofPolicy(policy)),
      ...serviceIdentities.filter((one) => this.#counts(one.datacenters)).flatMap(serviceIdentityRules),
      ...nodeIdentities.filter((one) => this.#counts([one.datacenter])).flatMap(nodeIdentityRules),
    ];
  }

  #counts(datacenters: readonly string[]): boolean {
    return datacenters.length === 0 || datacenters.includes(this.#datacenter);
  }

  #ofPolicy(policy: PolicyRecord): readonly Rule[] {
    const known = this.#parsed.get(policy);
    if (known !== undefined) return known;
    const rules = parseRules(policy.rules, { from: `policy ${policy.name}` });
    this.#parsed.set(policy, rules);
    return rules;
  }
}
