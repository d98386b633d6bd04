import type { NodeView, ServiceEnvironment, Variable } from '../registry/index.ts';

/** A variable for tests: ready and public unless said otherwise. */
export function variableOf(name: string, value: string | null, more: Partial<Variable> = {}): Variable {
  return { name, value, state: value === null ? 'missing' : 'ready', secret: false, from: [], unresolved: [], ...more };
}

/** An environment for tests from plain values. */
export function environmentOf(service: string, values: Readonly<Record<string, string>>): ServiceEnvironment {
  return { service, variables: Object.entries(values).map(([name, value]) => variableOf(name, value)) };
}

/** A node view for tests that holds nothing but environments. */
export function viewWith(revision: number, environments: readonly ServiceEnvironment[]): NodeView {
  return {
    revision,
    node: 'staging',
    address: '127.0.0.1',
    federation: 'default',
    region: 'aws',
    services: [],
    environments,
    balancer: null,
    listener: { services: {}, membership: null, hash: '' },
    checks: {},
    choices: {},
    fingerprints: { environment: '', balancer: '', listener: '' },
  };
}
