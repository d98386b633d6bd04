import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckRecord, CheckStatus, InstanceRecord, NodeRegistration } from '../registry/index.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import { isSameCheck, RecordDigests } from './registration-digest.ts';
import { givenOf, RegistrationMatch } from './registration-match.ts';

const NODE = nodeRecordOf({ name: 'n1' });
const api = (port = 1100): InstanceRecord => instanceRecordOf({ service: 'api', port });
const up = (status: CheckStatus, more: Partial<CheckRecord> = {}): CheckRecord =>
  checkRecordOf({ id: 'up', serviceId: 'api', status, ...more });

describe('RecordDigests', () => {
  test('RecordDigests.instance() differs with what an instance is, and not with the order of its keys', () => {
    const digests = new RecordDigests();
    expect(digests.instance(api(1))).toBe(digests.instance(JSON.parse(JSON.stringify(api(1))) as InstanceRecord));
    expect(digests.instance(api(1))).not.toBe(digests.instance(api(2)));
  });

  test('RecordDigests.check() counts status and definition, and not what a check said', () => {
    const digests = new RecordDigests();
    expect(digests.check(up('passing'))).toBe(digests.check(up('passing', { output: 'x', since: 'later' })));
    expect(digests.check(up('passing'))).not.toBe(digests.check(up('critical')));
    expect(digests.check(up('passing'))).not.toBe(digests.check(up('passing', { definition: { HTTP: 'x' } })));
  });

  test.each<[CheckStatus, CheckStatus, boolean]>([
    ['passing', 'passing', true],
    ['passing', 'unknown', true],
    ['unknown', 'unknown', true],
    ['unknown', 'passing', false],
    ['critical', 'passing', false],
  ])('isSameCheck() of a check that is %s here and %s there is %s', (held, said, same) => {
    const digests = new RecordDigests();
    expect(isSameCheck(digests.check(up(held)), digests.check(up(said)))).toBe(same);
  });

  test('RecordDigests.total() does not depend on order, and differs with each part', () => {
    const one: NodeRegistration = {
      node: NODE,
      instances: [api(), instanceRecordOf({ service: 'b' })],
      checks: [up('passing')],
    };
    const total = (registration: NodeRegistration): string => new RecordDigests().total(registration);
    expect(total({ ...one, instances: one.instances.toReversed() })).toBe(total(one));
    expect(total({ ...one, checks: [] })).not.toBe(total(one));
    expect(total({ ...one, node: { ...NODE, address: '10.9.9.9' } })).not.toBe(total(one));
  });
});

describe('RegistrationMatch', () => {
  const digests = new RecordDigests();
  const matchOf = (said: NodeRegistration, held: NodeRegistration | null): RegistrationMatch =>
    new RegistrationMatch(said.node, digests.ofAll(said), held, digests);

  test('RegistrationMatch wants all of a node that is not known, and nothing of one that is the same', () => {
    const said = { node: NODE, instances: [api()], checks: [up('passing')] };
    expect(matchOf(said, null).wanted).toEqual({ instances: ['api'], checks: ['up'] });
    expect(matchOf(said, JSON.parse(JSON.stringify(said)) as NodeRegistration).isWhole).toBe(true);
  });

  test('RegistrationMatch.complete() leaves out what nobody wanted, and what was wanted and not sent', () => {
    const said = { node: NODE, instances: [api(), instanceRecordOf({ service: 'b' })], checks: [] };
    const match = matchOf(said, { ...said, instances: [api()] });
    const given = { instances: [instanceRecordOf({ service: 'c' })], checks: [] };
    expect(match.complete(given).instances.map(({ id }) => id)).toEqual(['api']);
  });

  test('RegistrationMatch takes names for names, whatever they are', () => {
    const odd = instanceRecordOf({ id: '__proto__', service: 'constructor' });
    const said = { node: NODE, instances: [odd], checks: [] };
    expect(matchOf(said, null).complete({ instances: [odd], checks: [] }).instances).toEqual([odd]);
  });
});

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const status = fc.constantFrom<CheckStatus>('passing', 'warning', 'critical', 'unknown');
/** Registrations over few ids and values, so that two of them overlap. */
const registration: fc.Arbitrary<NodeRegistration> = fc
  .record({
    instances: fc.uniqueArray(fc.record({ id, port: fc.integer({ min: 1, max: 2 }) }), { selector: (one) => one.id }),
    checks: fc.uniqueArray(fc.record({ id, status, type: fc.constantFrom('ttl', 'tcp') }), {
      selector: (one) => one.id,
    }),
  })
  .map(({ instances, checks }) => ({
    node: NODE,
    instances: instances.map((one) => instanceRecordOf({ id: one.id, service: `s-${one.id}`, port: one.port })),
    checks: checks
      .filter((one) => instances.some((instance) => instance.id === one.id))
      .map((one) => checkRecordOf({ id: `c-${one.id}`, serviceId: one.id, status: one.status, type: one.type })),
  }));

test('a comparison by digests ends where sending everything would, with no more sent than differs', async () => {
  const property = fc.asyncProperty(registration, registration, async (before, said) => {
    await using whole = await startTestRegistry();
    await using compared = await startTestRegistry();
    for (const { registry } of [whole, compared]) await registry.syncNode(before, 1);
    await whole.registry.syncNode(said, 2);

    const digests = new RecordDigests();
    const held = compared.registry.held('n1');
    const match = new RegistrationMatch(said.node, digests.ofAll(said), held, digests);
    const given = givenOf(said, match.wanted);
    await compared.registry.syncNode(match.complete(given), 2);

    const stateOf = (one: typeof whole): NodeRegistration | null => one.registry.held('n1');
    expect(sorted(stateOf(compared))).toEqual(sorted(stateOf(whole)));
    const known = new Map(before.instances.map((one) => [one.id, one.port]));
    expect(given.instances.every((one) => known.get(one.id) !== one.port)).toBe(true);
    const checks = new Map(before.checks.map((one) => [one.id, one]));
    const isNews = (one: CheckRecord): boolean => {
      const old = checks.get(one.id);
      return old?.type !== one.type || (one.status !== 'unknown' && old.status !== one.status);
    };
    expect(given.checks.every(isNews)).toBe(true);
  });
  await fc.assert(property, { numRuns: 60 });
});

function sorted(held: NodeRegistration | null): unknown {
  const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);
  return { ...held, instances: held?.instances.toSorted(byId), checks: held?.checks.toSorted(byId) };
}
