import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashedInputs } from './listener-inputs.ts';
import { carryInputs, listenerWants } from './listener-wants.ts';
import type { ListenerInputs, ServiceInputs } from './node-view.ts';

const assigned = (environment: string, definition = 'd'): ServiceInputs => ({
  digest: `${definition}${environment}`,
  definition,
  environment,
  assigned: true,
});
const registered = (environment: string, definition = 'd'): ServiceInputs => ({
  ...assigned(environment, definition),
  assigned: false,
});
const inputs = (
  services: Record<string, ServiceInputs>,
  membership: Record<string, string> | null = null,
): ListenerInputs => hashedInputs(services, membership);

test('carryInputs() keeps a registered service of any name', () => {
  const odd = Object.fromEntries(['__proto__', 'constructor'].map((id) => [id, registered('1')]));
  expect(Object.keys(carryInputs(inputs({}), inputs(odd)).services)).toEqual(['__proto__', 'constructor']);
});

describe('listenerWants()', () => {
  test.each<[string, ListenerInputs | null, ListenerInputs, string[]]>([
    ['an assigned service is new', inputs({}), inputs({ a: assigned('1') }), ['a assigned']],
    ['it is the first time and something is assigned', null, inputs({ a: assigned('1') }), ['a assigned']],
    ['an assigned one is gone', inputs({ a: assigned('1') }), inputs({}), ['a no longer assigned']],
    ['its values change', inputs({ a: assigned('1') }), inputs({ a: assigned('2') }), ['environment of a']],
    ['its definition changes', inputs({ a: assigned('1') }), inputs({ a: assigned('1', 'e') }), ['definition a']],
    [
      'both change',
      inputs({ a: assigned('1') }),
      inputs({ a: assigned('2', 'e') }),
      ['environment of a', 'definition a'],
    ],
    [
      'a registered one that was there changes',
      inputs({ a: registered('1') }),
      inputs({ a: registered('2') }),
      ['environment of a'],
    ],
    ['a registered one becomes assigned', inputs({ a: registered('1') }), inputs({ a: assigned('1') }), ['a assigned']],
    [
      'an assigned one is only registered now',
      inputs({ a: assigned('1') }),
      inputs({ a: registered('1') }),
      ['a no longer assigned'],
    ],
    [
      'membership changes',
      inputs({}, { api: '1' }),
      inputs({}, { api: '2', db: '1' }),
      ['membership of api', 'membership of db'],
    ],
    [
      'several do',
      inputs({ b: assigned('1') }),
      inputs({ b: assigned('2'), a: assigned('1') }),
      ['a assigned', 'environment of b'],
    ],
    ['a service has an odd name', inputs({}), inputs({ constructor: assigned('1') }), ['constructor assigned']],
  ])('listenerWants() is wanted when %s', (_name, before, after, causes) => {
    expect(listenerWants(before, after)).toEqual({ wanted: true, causes });
  });

  test.each<[string, ListenerInputs | null, ListenerInputs]>([
    ['nothing changed', inputs({ a: assigned('1') }), inputs({ a: assigned('1') })],
    ['a service is scaled onto the node', inputs({}), inputs({ a: registered('1') })],
    ['a service is scaled off the node', inputs({ a: registered('1') }), inputs({})],
    ['it is the first time and nothing is assigned', null, inputs({ a: registered('1') }, { api: '1' })],
  ])('listenerWants() is not wanted when %s', (_name, before, after) => {
    expect(listenerWants(before, after)).toEqual({ wanted: false, causes: [] });
  });
});

describe('carryInputs()', () => {
  test('carryInputs() sees a later change of a service that was scaled onto the node since', () => {
    const done = inputs({});
    const carried = carryInputs(done, inputs({ a: registered('1') }));
    expect(listenerWants(carried, inputs({ a: registered('2') })).causes).toEqual(['environment of a']);
  });

  test('carryInputs() keeps what was not done yet when more comes', () => {
    const done = inputs({ a: assigned('1'), b: registered('1') });
    const next = inputs({ a: assigned('2'), b: registered('2'), c: registered('1') });
    const carried = carryInputs(done, next);
    expect(listenerWants(carried, next).causes).toEqual(['environment of a', 'environment of b']);
  });

  test('carryInputs() forgets a service that was scaled off, so its return wants nothing', () => {
    const carried = carryInputs(inputs({ a: registered('1') }), inputs({}));
    expect(listenerWants(carried, inputs({ a: registered('2') })).wanted).toBe(false);
  });

  test('carryInputs() wants nothing when a change is taken back before it was done', () => {
    const done = inputs({ a: assigned('1') });
    const carried = carryInputs(done, inputs({ a: assigned('2') }));
    expect(listenerWants(carried, done).wanted).toBe(false);
  });

  test('carryInputs() changes no verdict, whatever the two are', () => {
    const service = fc.record({ version: fc.constantFrom('1', '2'), isAssigned: fc.boolean() });
    const services = fc
      .dictionary(fc.constantFrom('a', 'b', 'c'), service)
      .map((all) =>
        inputs(
          Object.fromEntries(
            Object.entries(all).map(([id, one]) => [id, { ...assigned(one.version), assigned: one.isAssigned }]),
          ),
        ),
      );
    const property = fc.property(services, services, (done, next) => {
      expect(listenerWants(carryInputs(done, next), next)).toEqual(listenerWants(done, next));
    });
    fc.assert(property, { numRuns: 100 });
  });
});
