import { describe, expect, test } from 'vitest';
import { checkSet } from './check-set.ts';
import type { Definition } from './definition.ts';
import { parseDefinition } from './parse-definition.ts';

const define = (id: string, more: object = {}): Definition => parseDefinition({ id, ...more });
const check = (applied: Definition[], existing: Definition[] = [], names: string[] = []) =>
  checkSet({ existing, applied, datastores: names.map((name) => ({ federation: 'default', name })) });

const api = define('api', { provides: { API_URL: 'http://{HOST}:{PORT}' }, local_port: 1100 });

describe('checkSet() refuses', () => {
  test.each([
    ['applied together', [api, define('b', { provides: { API_URL: 'x' } })], []],
    ['one of them there', [define('b', { provides: { API_URL: 'x' } })], [api]],
  ])('a second provider of a name, %s', (_case, applied, existing) => {
    const [error, ...more] = check(applied, existing).errors;
    expect(more).toEqual([]);
    expect(error).toMatchObject({ code: 'DEFINITION_SECOND_PROVIDER', status: 409, exitCode: 6 });
    expect(error?.message).toBe('both api and b provide API_URL in federation "default"');
    expect(error?.hint).toContain('"shared": true');
  });

  test.each([
    [{ shared: true }, { shared: false }, 'let b say "shared": true'],
    [
      { shared: true },
      { shared: true, provides: { X: 'tcp://{HOST}' } },
      'must agree: a says "tcp://{HOST}:1", b "tcp://{HOST}"',
    ],
    [{ shared: true, local_port: 1 }, { shared: true }, 'agree on local_port: a has 1, b none'],
  ])('shared providers %j and %j that do not agree', (a, b, hint) => {
    const provides = { X: 'tcp://{HOST}:1' };
    const { errors } = check([define('a', { provides, ...a }), define('b', { provides, ...b })]);
    expect(errors[0]?.hint).toContain(hint);
  });

  test('to provide the name of a datastore', () => {
    expect(check([api], [], ['API_URL']).errors[0]).toMatchObject({ code: 'DEFINITION_NAME_TAKEN', status: 409 });
  });
});

describe('checkSet() takes', () => {
  test.each([
    [
      'shared providers that agree',
      [define('a', { shared: true, provides: { X: 'y' } }), define('b', { shared: true, provides: { X: 'y' } })],
      [],
    ],
    ['a new version of a definition', [api], [api]],
    ['a name that moves to another service', [define('api'), define('b', { provides: { API_URL: 'x' } })], [api]],
    ['the same name in another federation', [define('b', { federation: 'x', provides: { API_URL: 'x' } })], [api]],
    ['old trouble elsewhere', [define('c')], [api, define('b', { provides: { API_URL: 'x' } })]],
  ])('%s', (_case, applied, existing) => {
    expect(check(applied, existing).errors).toEqual([]);
  });
});

describe('checkSet() warns', () => {
  test.each([
    [{ requires: { A: '{API_URK}' } }, 'www requires API_URK, which nobody in default provides: did you mean API_URL?'],
    [{ requires: { A: '{NOTHING_LIKE_IT}' } }, 'www requires NOTHING_LIKE_IT, which nobody in default provides'],
    [{ requires: { A: '{PRIMARY_DATABASE}' } }, 'did you mean PRIMARY_DATABASE_URL?'],
    [
      { requires: { A: '{api.AP_URL}' } },
      'www requires api.AP_URL, which nobody in default provides: did you mean api.API_URL?',
    ],
    [{ requires: { A: '{apo.API_URL}' } }, 'did you mean api.API_URL?'],
    [{ requires: ['apii'] }, 'www requires the service apii, which default does not have: did you mean api?'],
    [{ requires: ['API_URL'] }, 'for the name API_URL write {"API_URL": "{API_URL}"}'],
    [{ requires: ['idle'] }, 'www requires idle, which provides nothing'],
    [{ local_port: 1100 }, 'api and www have the same local_port 1100'],
  ])('of %j', (more, warning) => {
    const { errors, warnings } = check([define('www', more)], [api, define('idle')], ['PRIMARY_DATABASE_URL']);
    expect(errors).toEqual([]);
    expect(warnings.join('\n')).toContain(warning);
  });

  test('of a name that the change takes away from others', () => {
    const www = define('www', { requires: { A: '{API_URL}' } });
    expect(check([define('api')], [api, www]).warnings).toEqual([
      'www requires API_URL, which nobody in default provides any more',
    ]);
  });

  test('of nothing when all is provided', () => {
    const www = define('www', { requires: { A: '{API_URL}/{api.API_URL}', D: '{DB}' } });
    expect(check([www, api], [], ['DB']).warnings).toEqual([]);
  });

  test('not across federations', () => {
    const www = define('www', { federation: 'pci', requires: { A: '{API_URL}' }, local_port: 1100 });
    expect(check([www], [api]).warnings).toEqual(['www requires API_URL, which nobody in pci provides']);
  });
});

describe('checkSet() notes', () => {
  const www = define('www', { provides: { W: 'x' }, requires: { A: '{API_URL}' } });

  test('services that require each other, once', () => {
    const looped = define('api', { provides: { API_URL: 'x' }, requires: { W: '{W}' } });
    expect(check([looped, www]).notes).toEqual(['these services require each other: api → www → api']);
    expect(check([looped], [www]).notes).toHaveLength(1);
    expect(check([looped, www]).errors).toEqual([]);
  });

  test('a service that requires itself', () => {
    expect(check([define('a', { provides: { X: 'x' }, requires: { Y: '{X}' } })]).notes).toEqual([
      'a requires what it provides itself',
    ]);
  });

  test('a cycle through a list of services', () => {
    const [a, b] = [define('a', { requires: ['b'] }), define('b', { requires: ['a'] })];
    expect(check([a, b]).notes).toEqual(['these services require each other: a → b → a']);
  });

  test('no cycle that the change does not touch, and none where there is none', () => {
    const [a, b] = [define('a', { requires: ['b'] }), define('b', { requires: ['a'] })];
    expect(check([api], [a, b]).notes).toEqual([]);
    expect(check([api, www]).notes).toEqual([]);
  });
});

test('checkSet() guesses for the first names only, so that a file of unknown names costs little', () => {
  const existing = Array.from({ length: 50 }, (_, i) => define(`svc${i}`, { provides: { [`PROVIDED_${i}`]: 'x' } }));
  const requires = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`V${i}`, `{PROVIDED_${i}X}`]));
  const { warnings } = check(
    [define('a', { requires }), define('b', { requires: 'c d e f g h i j k l m n o p q'.split(' ') })],
    existing,
  );
  expect(warnings.filter((text) => text.startsWith('a requires')).length).toBe(30);
  expect(warnings.filter((text) => text.includes('did you mean PROVIDED')).length).toBe(10);
  expect(warnings.filter((text) => text.startsWith('b requires the service')).length).toBe(15);
});
