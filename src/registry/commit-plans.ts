import type { Revision } from '../store/index.ts';
import { contended } from './errors.ts';
import type { Feed } from './feed.ts';
import type { TxnPlan } from './txn-plan.ts';

const ATTEMPTS = 16;

/**
 * Commits what `plan` finds to be written, one transaction after the other; after a conflict it plans again from the state
 * that caused it. Resolves with a revision at which all is so, applied here: the current one when there was nothing to write.
 *
 * @throws REGISTRY_CONTENDED when others are always faster, and what `plan` and `Feed.commit` throw
 */
export async function commitPlans(feed: Feed, what: string, plan: () => readonly TxnPlan[]): Promise<Revision> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const plans = plan();
    if (plans.length === 0) return feed.revision;
    const revision = await commitAll(feed, plans);
    if (revision !== undefined) return revision;
  }
  throw contended(what, ATTEMPTS);
}

async function commitAll(feed: Feed, plans: readonly TxnPlan[]): Promise<Revision | undefined> {
  const written = new Map<string, Revision>();
  let revision: Revision | undefined;
  for (const plan of plans) {
    const outcome = await feed.commit(plan.toTxn(written));
    if (!outcome.ok) {
      await feed.applied(outcome.revision);
      return undefined;
    }
    ({ revision } = outcome);
    plan.note(written, revision);
  }
  return revision;
}
