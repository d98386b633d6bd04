import type { Batch, Entry, Revision } from '../store/index.ts';
import { ANONYMOUS_TOKEN, BUILTIN_POLICIES } from './builtin.ts';
import { aclKey, aclTopic, type Kept, type PolicyRecord, type RoleRecord, type TokenRecord } from './records.ts';

/** A key that is held, and its revision. */
interface Held {
  readonly key: string;
  readonly modRevision: Revision;
}

/** What a revision made different, as far as tokens, policies and roles have to do with it. */
interface ChangeNotes {
  readonly topics: Set<string>;
  readonly summary: string[];
}

/** The kinds of record with indexes of their own. */
const KINDS = Object.values(aclTopic);
const FLOOR = 'floor/registry';

export interface AclStateOptions {
  /** Told of entries that drover did not write and cannot read; they are left out. */
  readonly report?: (error: unknown) => void;
}

/** All tokens, policies and roles in memory: a projection of the store. What is built in is always there. */
export class AclState {
  readonly families = ['acl/', 'tomb/', 'floor/'] as const;
  readonly #report: (error: unknown) => void;
  /** By secret hash. */
  readonly #tokens = new Map<string, Kept<TokenRecord>>();
  readonly #accessors = new Map<string, string>();
  readonly #policies = new Map<string, Kept<PolicyRecord>>();
  readonly #roles = new Map<string, Kept<RoleRecord>>();
  readonly #revisions = new Map<string, Revision>();
  readonly #keys = new Map<string, Revision>();
  readonly #listeners = new Set<() => void>();
  #floor: Revision = 1;

  constructor(options: AclStateOptions = {}) {
    this.#report = options.report ?? (() => {});
  }

  /** The token with this secret, as it stands; also when it has expired. */
  tokenByHash(hash: string): Kept<TokenRecord> | undefined {
    return this.#tokens.get(hash) ?? (hash === ANONYMOUS_TOKEN.hash ? ANONYMOUS : undefined);
  }

  token(accessor: string): Kept<TokenRecord> | undefined {
    const hash = this.#accessors.get(accessor);
    if (hash !== undefined) return this.#tokens.get(hash);
    return accessor === ANONYMOUS_TOKEN.accessor ? ANONYMOUS : undefined;
  }

  /** By AccessorID. */
  tokens(): readonly Kept<TokenRecord>[] {
    const all = [...this.#tokens.values()];
    if (!this.#accessors.has(ANONYMOUS_TOKEN.accessor)) all.push(ANONYMOUS);
    return all.toSorted((a, b) => order(a.record.accessor, b.record.accessor));
  }

  policy(id: string): Kept<PolicyRecord> | undefined {
    return this.#policies.get(id) ?? BUILTIN.get(id);
  }

  policyNamed(name: string): Kept<PolicyRecord> | undefined {
    return this.policies().find(({ record }) => record.name === name);
  }

  /** By name. */
  policies(): readonly Kept<PolicyRecord>[] {
    return [...BUILTIN.values(), ...this.#policies.values()].toSorted((a, b) => order(a.record.name, b.record.name));
  }

  role(id: string): Kept<RoleRecord> | undefined {
    return this.#roles.get(id);
  }

  roleNamed(name: string): Kept<RoleRecord> | undefined {
    return this.roles().find(({ record }) => record.name === name);
  }

  /** By name. */
  roles(): readonly Kept<RoleRecord>[] {
    return [...this.#roles.values()].toSorted((a, b) => order(a.record.name, b.record.name));
  }

  /** When a key was last put; 0 when it is not there. */
  revisionOf(key: string): Revision {
    return this.#keys.get(key) ?? 0;
  }

  /** The index of one of `aclTopic`; 1 while there never was one. */
  index(topic: string): Revision {
    return Math.max(this.#revisions.get(topic) ?? 1, this.#floor);
  }

  /** Called after each change, in the same turn. */
  onChanged(listen: () => void): () => void {
    this.#listeners.add(listen);
    return () => void this.#listeners.delete(listen);
  }

  load(entries: Iterable<Entry>, _revision: Revision): void {
    for (const table of [this.#tokens, this.#accessors, this.#policies, this.#roles, this.#revisions, this.#keys])
      table.clear();
    this.#floor = 1;
    for (const entry of entries) this.#attempt(() => this.#put(entry));
    this.#tell();
  }

  apply(batch: Batch, change: ChangeNotes): void {
    let isOurs = false;
    for (const event of batch.events) {
      const key = event.type === 'put' ? event.entry.key : event.key;
      if (event.type === 'put') this.#attempt(() => this.#put(event.entry));
      else this.#remove(key);
      const topic = KINDS.find((kind) => key.startsWith(`${kind}/`));
      if (topic !== undefined) change.topics.add(topic);
      if (key.startsWith('acl/')) isOurs = true;
    }
    if (!isOurs) return;
    change.summary.push('access control');
    this.#tell();
  }

  *held(): Iterable<Held> {
    for (const [key, modRevision] of this.#keys) yield { key, modRevision };
  }

  #put(entry: Entry): void {
    const { key, modRevision } = entry;
    if (key === FLOOR) this.#floor = (JSON.parse(entry.value) as { revision: Revision }).revision;
    if (key.startsWith('tomb/acl/')) this.#raise(key.slice('tomb/'.length), modRevision);
    if (!key.startsWith('acl/')) return;
    this.#keys.set(key, modRevision);
    const topic = KINDS.find((kind) => key.startsWith(`${kind}/`));
    if (topic === undefined) return;
    this.#raise(topic, modRevision);
    this.#keep(topic, keptOf(entry));
  }

  #keep(topic: string, kept: Kept<unknown>): void {
    if (topic === aclTopic.tokens) {
      const token = kept as Kept<TokenRecord>;
      this.#tokens.set(token.record.hash, token);
      this.#accessors.set(token.record.accessor, token.record.hash);
    } else if (topic === aclTopic.policies) {
      this.#policies.set((kept as Kept<PolicyRecord>).record.id, kept as Kept<PolicyRecord>);
    } else this.#roles.set((kept as Kept<RoleRecord>).record.id, kept as Kept<RoleRecord>);
  }

  #remove(key: string): void {
    if (!this.#keys.delete(key)) return;
    const id = key.slice(key.lastIndexOf('/') + 1);
    if (key === aclKey.policy(id)) this.#policies.delete(id);
    if (key === aclKey.role(id)) this.#roles.delete(id);
    if (key !== aclKey.token(id)) return;
    const accessor = this.#tokens.get(id)?.record.accessor ?? '';
    this.#tokens.delete(id);
    if (this.#accessors.get(accessor) === id) this.#accessors.delete(accessor);
  }

  #raise(topic: string, revision: Revision): void {
    if ((this.#revisions.get(topic) ?? 0) < revision) this.#revisions.set(topic, revision);
  }

  #tell(): void {
    for (const listen of this.#listeners) listen();
  }

  #attempt(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#report(error);
    }
  }
}

/** What no store keeps has been there from the first. */
function builtin<Record>(record: Record): Kept<Record> {
  return Object.freeze({ record, createRevision: 1, modRevision: 1 });
}

const ANONYMOUS = builtin(ANONYMOUS_TOKEN);
const BUILTIN: ReadonlyMap<string, Kept<PolicyRecord>> = new Map(
  BUILTIN_POLICIES.map((policy) => [policy.id, builtin(policy)]),
);

function keptOf({ value, createRevision, modRevision }: Entry): Kept<unknown> {
  return { record: Object.freeze(JSON.parse(value) as object), createRevision, modRevision };
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
