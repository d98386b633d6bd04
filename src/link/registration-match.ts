import type { CheckRecord, InstanceRecord, NodeRegistration } from '../registry/index.ts';
import { isSameCheck, type RecordDigests, type RegistrationDigests } from './registration-digest.ts';

/** Ids of records that are to be sent. */
export interface WantedRecords {
  readonly instances: readonly string[];
  readonly checks: readonly string[];
}

/** Records that were asked for. */
export type GivenRecords = Pick<NodeRegistration, 'instances' | 'checks'>;

/**
 * What a node says of itself by digests, against what the region holds of it: knows which records are still to be sent, and makes
 * the whole registration of both. What the node does not name is not in it.
 */
export class RegistrationMatch {
  readonly wanted: WantedRecords;
  readonly #node: NodeRegistration['node'];
  readonly #instances = new Map<string, InstanceRecord>();
  readonly #checks = new Map<string, CheckRecord>();
  readonly #said: RegistrationDigests;

  /** `held` is what the region holds; null: nothing. */
  constructor(
    node: NodeRegistration['node'],
    said: RegistrationDigests,
    held: GivenRecords | null,
    digests: RecordDigests,
  ) {
    this.#node = node;
    this.#said = said;
    const instances = new Map(said.instances);
    const checks = new Map(said.checks);
    for (const record of held?.instances ?? [])
      if (instances.get(record.id) === digests.instance(record)) this.#instances.set(record.id, record);
    for (const record of held?.checks ?? []) {
      const digest = checks.get(record.id);
      if (digest !== undefined && isSameCheck(digests.check(record), digest)) this.#checks.set(record.id, record);
    }
    this.wanted = {
      instances: [...instances.keys()].filter((id) => !this.#instances.has(id)),
      checks: [...checks.keys()].filter((id) => !this.#checks.has(id)),
    };
  }

  get isWhole(): boolean {
    return this.wanted.instances.length + this.wanted.checks.length === 0;
  }

  /** The registration, with what was sent. Records that nobody asked for are left out; ones that are missing are, too. */
  complete({ instances, checks }: GivenRecords = { instances: [], checks: [] }): NodeRegistration {
    const wanted = { instances: new Set(this.wanted.instances), checks: new Set(this.wanted.checks) };
    for (const one of instances) if (wanted.instances.has(one.id)) this.#instances.set(one.id, one);
    for (const one of checks) if (wanted.checks.has(one.id)) this.#checks.set(one.id, one);
    return {
      node: this.#node,
      instances: this.#said.instances.flatMap(([id]) => this.#instances.get(id) ?? []),
      checks: this.#said.checks.flatMap(([id]) => this.#checks.get(id) ?? []),
    };
  }
}

/** The records of a registration that were asked for. */
export function givenOf(registration: NodeRegistration, wanted: WantedRecords): GivenRecords {
  const instances = new Set(wanted.instances);
  const checks = new Set(wanted.checks);
  return {
    instances: registration.instances.filter(({ id }) => instances.has(id)),
    checks: registration.checks.filter(({ id }) => checks.has(id)),
  };
}
