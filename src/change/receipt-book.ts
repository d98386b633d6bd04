import type { Revision } from '../store/index.ts';
import { consumerKey } from './change-log.ts';
import type { ConsumerId, LoggedChange } from './change-log.ts';
import { CONSUMER_KINDS, isDone } from './receipt.ts';
import type { DoneOutcome, Receipt } from './receipt.ts';
import type { Standing, Took } from './standing.ts';

interface Account {
  readonly id: ConsumerId;
  /** Everything up to here is applied. */
  applied: Revision;
  outcome: DoneOutcome;
  /** The last word that was not `applied` or `unchanged`, until a later one is. */
  trouble: Receipt | undefined;
  /** Changes that this consumer has still to take up, in order. */
  readonly pending: LoggedChange[];
  /** The other server that it was heard of last, and what that one measured; undefined when it was heard here. */
  via: Via | undefined;
}

interface Via {
  readonly server: string;
  readonly took: ReadonlyMap<Revision, number>;
}

/** A change that a receipt settled. */
export interface Settled {
  readonly change: LoggedChange;
  readonly consumer: ConsumerId;
  readonly tookMs: number;
}

/**
 * What each consumer has said, here or to another server, and what it still owes. A receipt at revision r settles only what
 * was committed up to r: it is never early (semantics 6). One for a revision that is yet to come here counts when it does.
 */
export class ReceiptBook {
  readonly #accounts = new Map<string, Account>();

  /** A change is expected of everyone interested; returns whose word for it came before it. */
  expect(change: LoggedChange): readonly Settled[] {
    const settled: Settled[] = [];
    for (const [key, id] of change.interested) {
      const account = this.#account(key, id);
      account.pending.push(change);
      if (account.applied >= change.revision) settled.push(...settle(account, key, change.appliedAtMs));
    }
    return settled;
  }

  /** A change is no longer remembered. */
  forget(change: LoggedChange): void {
    for (const key of change.interested.keys()) {
      const pending = this.#accounts.get(key)?.pending ?? [];
      const at = pending.indexOf(change);
      if (at >= 0) pending.splice(at, 1);
      // Names of nodes come and go with a fleet: what nobody waits for is not kept. A later receipt begins anew.
      if (pending.length === 0) this.#accounts.delete(key);
    }
  }

  /** A node is gone: what its consumers owe is kept until the changes are forgotten, for it may come back; nothing else is. */
  leave(node: string): void {
    for (const kind of CONSUMER_KINDS) {
      const key = consumerKey({ node, kind });
      if (this.#accounts.get(key)?.pending.length === 0) this.#accounts.delete(key);
    }
  }

  /** What consumers of a node have still to take up. */
  *owed(node: string): Iterable<LoggedChange> {
    for (const kind of CONSUMER_KINDS) yield* this.#accounts.get(consumerKey({ node, kind }))?.pending ?? [];
  }

  /** Whether a consumer of a node has said why it does not take something up. */
  isTroubled(node: string): boolean {
    return CONSUMER_KINDS.some((kind) => this.#accounts.get(consumerKey({ node, kind }))?.trouble !== undefined);
  }

  /** How many consumers are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Takes down what a consumer said to this server, and returns which changes it settled. `nowMs` is monotonic. */
  take(receipt: Receipt, nowMs: number): readonly Settled[] {
    const key = consumerKey(receipt);
    const account = this.#account(key, receipt);
    if (!isDone(receipt.outcome)) {
      takeTrouble(account, receipt);
      return [];
    }
    return takeDone(account, key, { ...receipt, outcome: receipt.outcome }, undefined, nowMs);
  }

  /** Takes down what another server knows of a consumer, and returns which changes it settled. */
  hear({ applied, outcome, took, trouble, ...id }: Standing, server: string, nowMs: number): readonly Settled[] {
    const key = consumerKey(id);
    const account = this.#account(key, id);
    const via: Via = { server, took: new Map(took) };
    const settled = takeDone(account, key, { revision: applied, outcome }, via, nowMs);
    if (trouble !== null) takeTrouble(account, trouble);
    return settled;
  }

  /** What there is to tell of a consumer; undefined when it has said nothing. */
  standing(id: ConsumerId, took: readonly Took[] = []): Standing | undefined {
    const account = this.#accounts.get(consumerKey(id));
    return account === undefined || hasSaidNothing(account) ? undefined : standingOf(account, took);
  }

  /** Of every consumer whose word is of `since` or later. */
  *standings(since: Revision): Iterable<Standing> {
    for (const account of this.#accounts.values())
      if (Math.max(account.applied, account.trouble?.revision ?? 0) >= since && !hasSaidNothing(account))
        yield standingOf(account, []);
  }

  /** Up to which revision the consumer has applied everything; 0 when it never said. */
  applied(key: string): Revision {
    return this.#accounts.get(key)?.applied ?? 0;
  }

  /** Whether the consumer has something to take up of which it has said nothing yet. */
  owes(key: string): boolean {
    const account = this.#accounts.get(key);
    const last = account?.pending.at(-1);
    return last !== undefined && last.revision > (account?.trouble?.revision ?? 0);
  }

  /** The last of the changes that a consumer owes first of all and of which it is not sure that it is interested in them. */
  lastUnsure(key: string): LoggedChange | undefined {
    const pending = this.#accounts.get(key)?.pending ?? [];
    const end = pending.findIndex((change) => !change.unsure.has(key));
    return pending[(end < 0 ? pending.length : end) - 1];
  }

  /** Why the consumer has not applied the revision, if it said so. */
  trouble(key: string, revision: Revision): Receipt | undefined {
    const trouble = this.#accounts.get(key)?.trouble;
    return trouble !== undefined && trouble.revision >= revision ? trouble : undefined;
  }

  /** Consumers that owe something, with the first change they owe. */
  *owing(): Iterable<readonly [key: string, first: LoggedChange]> {
    for (const [key, { pending }] of this.#accounts) {
      const [first] = pending;
      if (first !== undefined) yield [key, first];
    }
  }

  #account(key: string, { node, kind }: ConsumerId): Account {
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    const fresh: Account = {
      id: { node, kind },
      applied: 0,
      outcome: 'unchanged',
      trouble: undefined,
      pending: [],
      via: undefined,
    };
    this.#accounts.set(key, fresh);
    return fresh;
  }
}

function hasSaidNothing({ applied, trouble }: Account): boolean {
  return applied === 0 && trouble === undefined;
}

function standingOf({ id, applied, outcome, trouble }: Account, took: readonly Took[]): Standing {
  return { ...id, applied, outcome, took, trouble: trouble ?? null };
}

function takeTrouble(account: Account, receipt: Receipt): void {
  const isNews = receipt.revision > account.applied && receipt.revision >= (account.trouble?.revision ?? 0);
  if (isNews) account.trouble = receipt;
}

function takeDone(
  account: Account,
  key: string,
  { revision, outcome }: { readonly revision: Revision; readonly outcome: DoneOutcome },
  via: Via | undefined,
  nowMs: number,
): Settled[] {
  if (revision >= account.applied) {
    account.applied = revision;
    account.outcome = outcome;
    account.via = via;
  }
  if ((account.trouble?.revision ?? 0) <= account.applied) account.trouble = undefined;
  return settle(account, key, nowMs);
}

function settle(account: Account, key: string, nowMs: number): Settled[] {
  const { pending, applied, outcome, via, id } = account;
  const end = pending.findIndex((change) => change.revision > applied);
  const changes = pending.splice(0, end < 0 ? pending.length : end);
  return changes.map((change) => {
    const tookMs = via?.took.get(change.revision) ?? Math.max(0, nowMs - change.appliedAtMs);
    change.arrivals.set(key, { outcome, tookMs, ...(via === undefined ? {} : { via: via.server }) });
    change.missing.delete(key);
    return { change, consumer: id, tookMs };
  });
}
