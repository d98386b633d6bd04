import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/index.ts';
import { UNFENCED } from '../store/index.ts';
import type { Authored, Fence, Revision } from '../store/index.ts';
import { checkPolicy, checkRole, checkToken, expiryOf } from './access-input.ts';
import type { PolicyInput, RoleInput, TokenInput } from './access-input.ts';
import { bootChange, goneRecord, goneToken, putRecord, putToken } from './acl-change.ts';
import { grantsOf, linksOf } from './acl-links.ts';
import type { AclState } from './acl-state.ts';
import { AclTransactions, type AclChange, type AclFeed } from './acl-transaction.ts';
import { ANONYMOUS, BUILTIN_POLICIES, GLOBAL_MANAGEMENT } from './builtin.ts';
import { bootstrapDone, invalid, notFound, taken, unknownToken } from './errors.ts';
import { aclKey, secretHash } from './records.ts';
import type { Kept, PolicyRecord, RoleRecord, TokenRecord } from './records.ts';

export interface AccessWritesOptions {
  readonly feed: AclFeed;
  readonly state: AclState;
  readonly clock: Clock;
  /** Secrets of tokens are kept readable: Consul's API of before 1.4 shows them (decision 133). */
  readonly legacy: boolean;
  readonly uuid?: () => string;
}

/** A token with its secret, which is shown this once. */
export interface MadeToken {
  readonly token: Kept<TokenRecord>;
  readonly secret: string;
}

export interface AclWritten<Value> {
  readonly value: Value;
  readonly revision: Revision;
}

/** Who asks for a change of a token, for those that nobody may do to themselves. */
export interface ByToken extends Authored {
  readonly accessor?: string;
}

/** Changes tokens, policies and roles. Each change resolves when this server has applied it, and leaves its history. */
export class AccessWrites {
  readonly #state: AclState;
  readonly #clock: Clock;
  readonly #legacy: boolean;
  readonly #uuid: () => string;
  readonly #transactions: AclTransactions;

  constructor(options: AccessWritesOptions) {
    this.#state = options.state;
    this.#clock = options.clock;
    this.#legacy = options.legacy;
    this.#uuid = options.uuid ?? randomUUID;
    this.#transactions = new AclTransactions(options);
  }

  /** The reset index that allows one more bootstrap; 0 while none has been. */
  get resetIndex(): Revision {
    return this.#state.revisionOf(aclKey.boot);
  }

  /**
   * Makes the first management token; again only with the reset index of the last time, which is taken only when all else
   * is right: it counts once.
   *
   * @throws ACCESS_BOOTSTRAP_DONE, ACCESS_INVALID
   */
  async bootstrap(
    secret: string | undefined,
    takeReset: () => Promise<Revision>,
    { author = 'bootstrap' }: Authored = {},
  ): Promise<AclWritten<MadeToken>> {
    const input = managementInput('Bootstrap Token (Global Management)', secret);
    checkToken(input);
    const reset = this.resetIndex === 0 ? 0 : await takeReset();
    return this.#make(author, input, () => {
      if (this.resetIndex !== 0 && this.resetIndex !== reset) throw bootstrapDone(this.resetIndex);
      return [bootChange(this.#clock.wall())];
    });
  }

  /** Sees to it that a secret from the configuration is a management token. */
  async ensureManagement(secret: string): Promise<void> {
    const known = this.#state.tokenByHash(secretHash(secret));
    if (known !== undefined) return this.#keepManagement(known, secret);
    // Any text: whoever writes the configuration may choose it.
    const input = managementInput('Initial Management Token', secret);
    await this.#make('the configuration', input, () => (this.resetIndex === 0 ? [bootChange(this.#clock.wall())] : []));
  }

  /** @throws ACCESS_INVALID, ACCESS_BAD_RULES, ACCESS_TAKEN */
  async createToken(input: TokenInput, { author = 'unknown' }: Authored = {}): Promise<AclWritten<MadeToken>> {
    checkToken(input);
    return this.#make(author, input, () => []);
  }

  /** Makes a token that is given the same; its secret is its own, and it lasts no longer. */
  async cloneToken(
    source: TokenRecord,
    description: string,
    { author = 'unknown' }: Authored = {},
  ): Promise<AclWritten<MadeToken>> {
    const { policies, roles, serviceIdentities, nodeIdentities, local, legacy, expiresAt } = source;
    const isLinked = (kind: 'policy' | 'role') => (id: string) => this.#state[kind](id) !== undefined;
    const input: TokenInput = {
      description,
      // What was deleted since is linked no more.
      policies: policies.filter(isLinked('policy')).map((id) => ({ id })),
      roles: roles.filter(isLinked('role')).map((id) => ({ id })),
      serviceIdentities,
      nodeIdentities,
      local,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(legacy === undefined ? {} : { legacy }),
    };
    return this.#make(author, input, () => []);
  }

  /** Replaces what a token is given; its secret, locality and expiry stay. @throws ACCESS_UNKNOWN_TOKEN, ACCESS_INVALID, ACCESS_BAD_RULES */
  async updateToken(
    accessor: string,
    input: TokenInput,
    { author = 'unknown' }: Authored = {},
  ): Promise<AclWritten<Kept<TokenRecord>>> {
    checkToken({ ...input, accessor });
    const written = await this.#transactions.run(author, () => {
      const known = this.#state.token(accessor);
      if (known === undefined) throw unknownToken();
      const { accessor: id, hash, secret, local, createdAt, expiresAt } = known.record;
      const record: TokenRecord = {
        accessor: id,
        hash,
        local,
        createdAt,
        description: input.description,
        ...linksOf(this.#state, input),
        ...(secret === undefined ? {} : { secret }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(input.legacy === undefined ? {} : { legacy: input.legacy }),
      };
      return { changes: [putToken(record, known)], value: id };
    });
    return { ...written, value: this.#token(written.value) };
  }

  /** @throws ACCESS_INVALID for the anonymous token and one's own */
  async deleteToken(
    accessor: string,
    { author = 'unknown', accessor: own = '' }: ByToken = {},
  ): Promise<AclWritten<boolean>> {
    if (accessor === ANONYMOUS) throw invalid('Delete operation not permitted on the anonymous token');
    if (accessor === own && own !== '') throw invalid("Deletion of the request's authorization token is not permitted");
    return this.#transactions.run(author, () => {
      const known = this.#state.token(accessor);
      return known === undefined ? { changes: [], value: false } : { changes: [goneToken(known)], value: true };
    });
  }

  /** Deletes what has expired; resolves with how many tokens that were. */
  async deleteExpired(fence: Fence = UNFENCED): Promise<number> {
    const isOver = ({ record }: Kept<TokenRecord>): boolean =>
      record.expiresAt !== undefined && Date.parse(record.expiresAt) <= this.#clock.wall();
    if (!this.#state.tokens().some(isOver)) return 0;
    const { value } = await this.#transactions.run('expiry', () => {
      const duty = fence();
      if (duty === null) return { changes: [], value: 0 };
      const over = this.#state.tokens().filter(isOver).slice(0, MOST_AT_ONCE);
      return { changes: over.map(goneToken), value: over.length, compares: [duty] };
    });
    return value;
  }

  /** Makes a policy, or with an id replaces one. @throws ACCESS_INVALID, ACCESS_BAD_RULES, ACCESS_TAKEN, ACCESS_NOT_FOUND */
  async putPolicy(
    id: string | undefined,
    input: PolicyInput,
    { author = 'unknown' }: Authored = {},
  ): Promise<AclWritten<Kept<PolicyRecord>>> {
    if (BUILTIN_POLICIES.some((one) => one.id === id))
      throw invalid('Changing the Rules for the builtin policies is not permitted');
    checkPolicy(input);
    const written = await this.#transactions.run(author, () => {
      const known = id === undefined ? undefined : this.#state.policy(id);
      if (id !== undefined && known === undefined) throw notFound(`cannot find policy ${id}: ACL not found`);
      const other = this.#state.policyNamed(input.name);
      if (other !== undefined && other.record.id !== id)
        throw taken(`Invalid Policy: A Policy with Name ${JSON.stringify(input.name)} already exists`);
      const { name, description, rules, datacenters } = input;
      const record: PolicyRecord = { id: id ?? this.#uuid(), name, description, rules, datacenters };
      return { changes: [putRecord(`pol/${record.id}`, aclKey.policy(record.id), record, known)], value: record.id };
    });
    return { ...written, value: this.#state.policy(written.value) as Kept<PolicyRecord> };
  }

  /** @throws ACCESS_INVALID for what is built in */
  async deletePolicy(id: string, { author = 'unknown' }: Authored = {}): Promise<AclWritten<boolean>> {
    const builtin = BUILTIN_POLICIES.find((one) => one.id === id);
    if (builtin !== undefined) throw invalid(`Delete operation not permitted on the builtin ${builtin.name} policy`);
    return this.#transactions.run(author, () =>
      goneRecord(`pol/${id}`, aclKey.policy(id), 'policies', this.#state.policy(id)),
    );
  }

  /** Makes a role, or with an id replaces one. @throws ACCESS_INVALID, ACCESS_TAKEN, ACCESS_NOT_FOUND */
  async putRole(
    id: string | undefined,
    input: RoleInput,
    { author = 'unknown' }: Authored = {},
  ): Promise<AclWritten<Kept<RoleRecord>>> {
    checkRole(input);
    const written = await this.#transactions.run(author, () => {
      const known = id === undefined ? undefined : this.#state.role(id);
      if (id !== undefined && known === undefined) throw notFound(`cannot find role ${id}: ACL not found`);
      const other = this.#state.roleNamed(input.name);
      if (other !== undefined && other.record.id !== id)
        throw taken(`Invalid Role: A Role with Name ${JSON.stringify(input.name)} already exists`);
      const { name, description } = input;
      const record: RoleRecord = { id: id ?? this.#uuid(), name, description, ...grantsOf(this.#state, input) };
      return { changes: [putRecord(`role/${record.id}`, aclKey.role(record.id), record, known)], value: record.id };
    });
    return { ...written, value: this.#state.role(written.value) as Kept<RoleRecord> };
  }

  async deleteRole(id: string, { author = 'unknown' }: Authored = {}): Promise<AclWritten<boolean>> {
    return this.#transactions.run(author, () =>
      goneRecord(`role/${id}`, aclKey.role(id), 'roles', this.#state.role(id)),
    );
  }

  /** One that was there before `legacy` is shown by it from now on. @throws ACCESS_TAKEN for a secret of another token */
  async #keepManagement(known: Kept<TokenRecord>, secret: string): Promise<void> {
    const { record } = known;
    if (record.legacy?.type !== 'management' && !record.policies.includes(GLOBAL_MANAGEMENT))
      throw taken('the initial management token of the configuration is the secret of a token that is none');
    if (!this.#legacy || record.secret !== undefined) return;
    const change = putToken({ ...record, secret }, known);
    await this.#transactions.run('the configuration', () => ({ changes: [change], value: undefined }));
  }

  async #make(author: string, input: TokenInput, more: () => readonly AclChange[]): Promise<AclWritten<MadeToken>> {
    const secret = input.secret ?? this.#uuid();
    const accessor = input.accessor?.toLowerCase() ?? this.#uuid();
    const expiresAt = expiryOf(input, this.#clock.wall());
    const written = await this.#transactions.run(author, () => {
      const hash = secretHash(secret);
      if (this.#state.token(accessor) !== undefined) throw taken('Invalid Token: AccessorID is already in use');
      if (this.#state.tokenByHash(hash) !== undefined) throw taken('Invalid Token: SecretID is already in use');
      const record: TokenRecord = {
        accessor,
        hash,
        description: input.description,
        ...linksOf(this.#state, input),
        local: input.local,
        createdAt: new Date(this.#clock.wall()).toISOString(),
        ...(this.#legacy ? { secret } : {}),
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(input.legacy === undefined ? {} : { legacy: input.legacy }),
      };
      return { changes: [...more(), putToken(record, undefined)], value: accessor };
    });
    return { revision: written.revision, value: { token: this.#token(written.value), secret } };
  }

  #token(accessor: string): Kept<TokenRecord> {
    const found = this.#state.token(accessor);
    if (found === undefined) throw unknownToken();
    return found;
  }
}

/** A transaction takes 128 writes, and each token three. */
const MOST_AT_ONCE = 30;

function managementInput(description: string, secret: string | undefined): TokenInput {
  return {
    description,
    ...(secret === undefined ? {} : { secret }),
    policies: [{ id: GLOBAL_MANAGEMENT }],
    roles: [],
    serviceIdentities: [],
    nodeIdentities: [],
    local: false,
  };
}
