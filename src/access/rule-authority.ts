import type { Authority, Level, Resource } from './authority.ts';
import { ALL_ALLOWED } from './authority.ts';
import type { CompiledRules } from './compile-rules.ts';
import { decide, decideUnder } from './decide.ts';
import { denied } from './errors.ts';

/** What a token with these rules may. */
export class RuleAuthority implements Authority {
  readonly id: string;
  readonly accessor: string;
  readonly #rules: CompiledRules;

  constructor(accessor: string, rules: CompiledRules) {
    this.id = rules.id;
    this.accessor = accessor;
    this.#rules = rules;
  }

  allows(resource: Resource, name: string, level: Level): boolean {
    return decide(this.#rules, resource, name, level).allowed;
  }

  allowsUnder(resource: Resource, prefix: string, level: Level): boolean {
    return decideUnder(this.#rules, resource, prefix, level).allowed;
  }

  demand(resource: Resource, name: string, level: Level): void {
    if (!this.allows(resource, name, level)) throw denied(this.accessor, `${resource}:${level}`, name);
  }
}

/** What a management token may: everything, under its own name. */
export function managementAuthority(accessor: string): Authority {
  return Object.freeze({ ...ALL_ALLOWED, accessor });
}
