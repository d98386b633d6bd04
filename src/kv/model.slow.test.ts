import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { KvModel } from './testing-model.ts';
import { kvOp, startTestKv, startTestStore, type TestKv } from './testing.ts';
import type { KvOp, TxnResult } from './txn-op.ts';

const KEYS = ['a', 'a/b', 'a/c', 'b'];
const SESSIONS = ['s1', 's2', 's3'];
const TTL_MS = 10_000;

const key = fc.constantFrom(...KEYS);
const value = fc.constantFrom('1', '2', '3');
const session = fc.constantFrom(...SESSIONS);
const op: fc.Arbitrary<KvOp & { readonly isCurrent?: boolean }> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(key, value).map(([k, v]) => kvOp('set', k, { value: v })) },
  fc.tuple(key, value, fc.boolean()).map(([k, v, isCurrent]) => ({ ...kvOp('cas', k, { value: v }), isCurrent })),
  {
    weight: 3,
    arbitrary: fc.tuple(key, value, session).map(([k, v, s]) => kvOp('lock', k, { value: v, session: s })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(key, value, session).map(([k, v, s]) => kvOp('unlock', k, { value: v, session: s })),
  },
  fc.constantFrom('delete', 'get', 'check-not-exists').chain((verb) => key.map((k) => kvOp(verb, k))),
  fc.constantFrom('delete-tree', 'get-tree').chain((verb) => fc.constantFrom('', 'a', 'a/').map((k) => kvOp(verb, k))),
);
const ops = fc.array(op, { minLength: 1, maxLength: 4 });

type Step =
  | { readonly type: 'txn'; readonly ops: readonly (KvOp & { readonly isCurrent?: boolean })[] }
  | { readonly type: 'create'; readonly behavior: 'release' | 'delete'; readonly delayMs: number; readonly ttl: string }
  | { readonly type: 'destroy' | 'renew'; readonly id: string }
  | { readonly type: 'advance'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: ops.map((all): Step => ({ type: 'txn', ops: all })) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('create' as const),
      behavior: fc.constantFrom('release', 'delete' as const),
      delayMs: fc.constantFrom(0, 5_000),
      ttl: fc.constantFrom('', '10s'),
    }),
  },
  fc.record({ type: fc.constantFrom('destroy', 'renew' as const), id: session }),
  { weight: 2, arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.constantFrom(1_000, 6_000) }) },
);

/** Results without what only the store knows. */
function said(results: readonly TxnResult[]): string[] {
  return results.map((one) => {
    if (one.type !== 'kv') throw new TypeError(one.type);
    const { entry, withValue } = one;
    const text = entry.value.toString();
    return withValue ? `${entry.key}=${text}` : `${entry.key} ${entry.lockIndex} ${entry.session ?? ''}`;
  });
}

function stateOf({ kv, sessions }: TestKv): unknown {
  return {
    keys: kv
      .list('')
      .map((entry) => [entry.key, entry.value.toString(), entry.lockIndex, entry.session ?? '', entry.modRevision]),
    sessions: sessions.list().map((one) => one.id),
    locked: sessions.list().map((one) => sessions.locked(one.id).toSorted()),
  };
}

function modelState({ keys, sessions }: KvModel): unknown {
  const ids = [...sessions.keys()].toSorted();
  return {
    keys: [...keys]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, one.value, one.lockIndex, one.session, one.revision]),
    sessions: ids,
    locked: ids.map((id) =>
      [...keys]
        .filter(([, one]) => one.session === id)
        .map(([name]) => name)
        .toSorted(),
    ),
  };
}

function filledIn(all: readonly (KvOp & { readonly isCurrent?: boolean })[], { kv }: TestKv): KvOp[] {
  return all.map(({ isCurrent, ...one }) => {
    const revision = kv.get(one.key)?.modRevision ?? 0;
    return one.verb === 'cas' ? { ...one, index: isCurrent === true ? revision : revision + 1_000 } : one;
  });
}

async function take(one: Step, server: TestKv, model: KvModel, free: string[]): Promise<void> {
  const { transactions, sessionWrites, clock, feed } = server;
  switch (one.type) {
    case 'txn': {
      const filled = filledIn(one.ops, server);
      const outcome = await transactions.run(filled);
      const expected = model.run(filled, outcome.ok ? outcome.revision : -1);
      expect(outcome.ok ? said(outcome.results) : undefined).toEqual(expected);
      return;
    }
    case 'create': {
      const [id] = free;
      if (id === undefined) return;
      await sessionWrites.create({
        node: 'n1',
        checks: [],
        behavior: one.behavior,
        lockDelayMs: one.delayMs,
        ttl: one.ttl,
      });
      const ttlMs = one.ttl === '' ? Infinity : TTL_MS * 1.5;
      model.sessions.set(id, {
        behavior: one.behavior,
        lockDelayMs: one.delayMs,
        ttlMs,
        lapsesAtMs: model.nowMs + ttlMs,
      });
      return;
    }
    case 'destroy':
      await sessionWrites.destroy(one.id);
      return model.end(one.id, feed.revision);
    case 'renew': {
      const known = model.sessions.get(one.id);
      if (known === undefined) await expect(sessionWrites.renew(one.id)).rejects.toThrow('not found');
      else {
        await sessionWrites.renew(one.id);
        known.lapsesAtMs = model.nowMs + known.ttlMs;
      }
      return;
    }
    case 'advance': {
      await clock.advance(one.ms);
      model.nowMs += one.ms;
      const revisions = new Map(server.kv.list('').map((entry) => [entry.key, entry.modRevision]));
      for (const [id, known] of model.sessions) {
        if (known.lapsesAtMs > model.nowMs) continue;
        const held = [...model.keys].filter(([, entry]) => entry.session === id).map(([name]) => name);
        const atMs = model.nowMs;
        model.nowMs = known.lapsesAtMs;
        model.end(id, 0);
        model.nowMs = atMs;
        for (const name of held) {
          const entry = model.keys.get(name);
          if (entry !== undefined) model.keys.set(name, { ...entry, revision: revisions.get(name) ?? 0 });
        }
      }
    }
  }
}

test('keys, sessions, locks and transactions are as in the obvious model, whatever is done', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const free: string[] = [];
      await using server = await startTestKv({ newId: () => free.shift() as string });
      const model = new KvModel();
      for (const one of steps) {
        free.splice(0, free.length, ...SESSIONS.filter((id) => !model.sessions.has(id)));
        await take(one, server, model, [...free]);
        expect(stateOf(server), JSON.stringify(one)).toEqual(modelState(model));
      }
      expect(server.errors).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('transactions of several servers at once happen one after the other, each whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(ops, { minLength: 2, maxLength: 8 }), { minLength: 2, maxLength: 6 }),
      async (rounds) => {
        const clock = new FakeClock();
        await using store = await startTestStore(clock);
        const ids = [...SESSIONS];
        await using first = await startTestKv({ store, clock, newId: () => ids.shift() as string });
        await using second = await startTestKv({ store, clock });
        const model = new KvModel();
        for (const id of SESSIONS) {
          await first.sessionWrites.create({ node: 'n1', checks: [] });
          model.sessions.set(id, { behavior: 'release', lockDelayMs: 0, ttlMs: Infinity, lapsesAtMs: Infinity });
        }
        for (const round of rounds) {
          await second.feed.applied(store.status().revision);
          await runAtOnce(round, [first, second], model);
          await Promise.all([first, second].map(({ feed }) => feed.applied(store.status().revision)));
          for (const server of [first, second]) expect(stateOf(server)).toEqual(modelState(model));
        }
      },
    ),
    { numRuns: 40 },
  );
});

/** What wrote has a revision of its own: in that order the model has to give the same. */
async function runAtOnce(
  round: readonly (readonly KvOp[])[],
  servers: readonly TestKv[],
  model: KvModel,
): Promise<void> {
  const before = model.keys;
  const running = round.map(async (all, at) => {
    const server = servers[at % servers.length] as TestKv;
    const filled = filledIn(all, server);
    return { filled, outcome: await server.transactions.run(filled) };
  });
  const done = await Promise.all(running);
  const written = done.flatMap(({ filled, outcome }) => (outcome.ok ? [{ filled, ...outcome }] : []));
  for (const { filled, revision, results } of written.toSorted((a, b) => a.revision - b.revision)) {
    const changes = filled.some(({ verb }) => !['get', 'get-tree', 'check-not-exists'].includes(verb));
    if (changes)
      expect(said(results), JSON.stringify({ filled, before: [...before] })).toEqual(model.run(filled, revision));
  }
}
