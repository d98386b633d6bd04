import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startTestApi, type TestAnswer, type TestApi } from './testing.ts';

const undo = (api: TestApi, body: object): Promise<TestAnswer> => api.ask('POST', '/v2/history/undo', { body });

/** All keys with values and flags. */
const state = (api: TestApi): string[][] =>
  api.context.kv.list('').map(({ key, value, flags }) => [key, value.toString(), flags]);

const key = fc.constantFrom('a', 'a/b', 'a/c', 'b');
const change = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('put' as const), key, value: fc.constantFrom('', '1', '2') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('tree' as const), key: fc.constantFrom('', 'a', 'a/', 'x') }) },
);

test('undo of every change, the last first, gives each state before it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
      await using api = await startTestApi();
      const { kvWrites } = api.context;
      const done: { revision: number; before: string[][] }[] = [];
      for (const one of changes) {
        const before = state(api);
        const { revision } =
          one.type === 'put'
            ? await kvWrites.put(one.key, Buffer.from(one.value))
            : await (one.type === 'tree' ? kvWrites.deleteTree(one.key) : kvWrites.delete(one.key));
        if (JSON.stringify(state(api)) !== JSON.stringify(before)) done.push({ revision, before });
      }
      // Each undo leaves the state at a revision of its own, so what it undoes further back was "changed since".
      for (const { revision, before } of done.toReversed()) {
        expect((await undo(api, { revision, kind: 'kv', force: true })).status).toBe(200);
        expect(state(api)).toEqual(before);
      }
    }),
    { numRuns: 25 },
  );
});
