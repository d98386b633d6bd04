import { expect, test } from 'vitest';
import { ArrivalFigures } from './arrival-figures.ts';

test('ArrivalFigures.byKind() gives percentiles and the last one of each kind', () => {
  const figures = new ArrivalFigures();
  for (let ms = 1; ms <= 100; ms++) figures.add('balancer', ms);
  figures.add('dns', 7);
  expect(Object.fromEntries(figures.byKind())).toEqual({
    balancer: { count: 100, p50Ms: 50, p99Ms: 99, lastMs: 100 },
    dns: { count: 1, p50Ms: 7, p99Ms: 7, lastMs: 7 },
  });
});

test('ArrivalFigures.byKind() looks back on the latest thousand', () => {
  const figures = new ArrivalFigures();
  for (let one = 0; one < 1_000; one++) figures.add('balancer', 1_000);
  for (let one = 0; one < 1_000; one++) figures.add('balancer', 1);
  expect(figures.byKind().get('balancer')).toEqual({ count: 2_000, p50Ms: 1, p99Ms: 1, lastMs: 1 });
});

test('ArrivalFigures.byKind() knows nothing of a kind that never arrived', () => {
  expect(new ArrivalFigures().byKind().size).toBe(0);
});
