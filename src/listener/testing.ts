import { carryInputs } from '../registry/index.ts';
import type { ListenerInputs, NodeView } from '../registry/index.ts';

/** Assigned services by id with a digest each; ids in `registered` merely have an instance. */
export interface InputsSketch {
  readonly assigned?: Readonly<Record<string, string>>;
  readonly registered?: Readonly<Record<string, string>>;
}

/** Listener inputs for tests: equal sketches have equal hashes. */
export function inputsOf({ assigned = {}, registered = {} }: InputsSketch): ListenerInputs {
  const entries = [
    ...Object.entries(assigned).map(([id, digest]) => [id, digest, true] as const),
    ...Object.entries(registered).map(([id, digest]) => [id, digest, false] as const),
  ].toSorted(([first], [second]) => (first < second ? -1 : 1));
  const services = Object.fromEntries(
    entries.map(([id, digest, one]) => [id, { digest, definition: 'same', environment: digest, assigned: one }]),
  );
  const inputs = { services, membership: null, hash: '' };
  // Carried over to themselves they are the same, with the hash that the registry gives them.
  return carryInputs(inputs, inputs);
}

/** A node view for tests that holds nothing but listener inputs. */
export function viewOf(revision: number, sketch: InputsSketch): NodeView {
  return {
    revision,
    node: 'staging',
    address: '127.0.0.1',
    federation: 'default',
    region: 'aws',
    services: [],
    environments: [],
    balancer: null,
    listener: inputsOf(sketch),
    checks: {},
    choices: {},
    fingerprints: { environment: '', balancer: '', listener: '' },
  };
}
