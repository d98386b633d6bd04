import { expect, test } from 'vitest';
import type { CheckRecord } from '../registry/index.ts';
import type { AliasTargets } from './alias-target.ts';
import { AliasWatch } from './alias-watch.ts';
import { checkRecordOf } from './check-record.ts';

interface Bench {
  readonly watch: AliasWatch;
  readonly seen: string[];
  readonly looks: () => number;
  readonly listening: () => number;
  readonly set: (checks: readonly Partial<CheckRecord>[] | null) => void;
}

function startWatch(): Bench {
  const seen: string[] = [];
  const listeners = new Set<() => void>();
  let checks: readonly CheckRecord[] | null = null;
  let looks = 0;
  const targets: AliasTargets = {
    node: 'n1',
    checksOf: () => (looks++, checks),
    onChange: (_target, listen) => {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
  };
  const watch = new AliasWatch({
    definition: { aliasService: 'db', outputMaxSize: 20 },
    targets,
    self: { id: 'service:web', serviceId: 'web' },
    observe: ({ status, output }) => seen.push(`${status} ${output}`),
  });
  const set: Bench['set'] = (parts) => {
    const base = checkRecordOf({ tcp: 'a:1' }, { serviceId: 'db' });
    checks = parts === null ? null : parts.map((part) => ({ ...base, ...part }));
    for (const listen of listeners) listen();
  };
  return { watch, seen, set, looks: () => looks, listening: () => listeners.size };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('AliasWatch looks at once, and whenever its target changes', async () => {
  const { seen, set } = startWatch();
  await settled();
  set([{ status: 'passing' }]);
  await settled();
  set([{ status: 'warning' }]);
  await settled();
  expect(seen.map((one) => one.split(' ')[0])).toEqual(['critical', 'passing', 'warning']);
});

test('AliasWatch says nothing of a target without results', async () => {
  const { seen, set } = startWatch();
  set([{ status: 'unknown' }]);
  await settled();
  expect(seen).toEqual([]);
});

test('AliasWatch looks once for many changes, after who made them is done', async () => {
  const { looks, set } = startWatch();
  for (let count = 0; count < 10; count++) set([]);
  expect(looks()).toBe(0);
  await settled();
  expect(looks()).toBe(1);
});

test('AliasWatch bounds its output', async () => {
  const { seen, set } = startWatch();
  set([{ status: 'critical', output: 'x'.repeat(5_000) }]);
  await settled();
  expect(seen[0]?.length).toBeLessThan(40);
});

test('AliasWatch.stop() stops listening, and what was planned', async () => {
  const { watch, seen, listening } = startWatch();
  await watch.stop();
  await settled();
  expect(seen).toEqual([]);
  expect(listening()).toBe(0);
});
