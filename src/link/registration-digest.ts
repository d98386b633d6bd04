import { fingerprint } from '../lib/index.ts';
import type { CheckRecord, InstanceRecord, NodeRegistration } from '../registry/index.ts';

/** Ids with what their records come to: equal digests are equal records, for instances; for checks see `isSameCheck`. */
export type Digests = readonly (readonly [id: string, digest: string])[];

/** What a registration comes to, record by record. */
export interface RegistrationDigests {
  readonly instances: Digests;
  readonly checks: Digests;
}

/** 64 bits: a node can only mislead itself with two records that come to the same. */
const LENGTH = 16;

/** Digests of records that never change in place: each is computed once. */
export class RecordDigests {
  readonly #known = new WeakMap<object, string>();

  instance(record: InstanceRecord): string {
    return this.#of(record, record);
  }

  /** Of what a check is, then its status. What a check said at its transition counts with the transition only. */
  check(record: CheckRecord): string {
    return `${this.#of(record, { ...record, status: '', output: '', since: '' })}:${record.status}`;
  }

  ofAll({ instances, checks }: Pick<NodeRegistration, 'instances' | 'checks'>): RegistrationDigests {
    return {
      instances: instances.map((one) => [one.id, this.instance(one)]),
      checks: checks.map((one) => [one.id, this.check(one)]),
    };
  }

  /** Of a whole registration, in whatever order its parts are. */
  total(registration: NodeRegistration): string {
    const { instances, checks } = this.ofAll(registration);
    // Whoever says it of itself is no external node, whatever its record holds.
    const node = { ...registration.node, external: undefined };
    const parts = { node, instances: sorted(instances), checks: sorted(checks) };
    return fingerprint(parts).slice(0, LENGTH);
  }

  #of(record: object, value: object): string {
    const known = this.#known.get(record);
    if (known !== undefined) return known;
    const computed = fingerprint(value).slice(0, LENGTH);
    this.#known.set(record, computed);
    return computed;
  }
}

/** Whether a check that a node has is the one that the region holds: "no result yet" says nothing against a status that is known. */
export function isSameCheck(held: string, said: string): boolean {
  return held === said || (said.endsWith(':unknown') && held.startsWith(said.slice(0, LENGTH + 1)));
}

function sorted(digests: Digests): Digests {
  return digests.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
