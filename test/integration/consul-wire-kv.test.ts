import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';
import { checkRow, testRows, Wire } from './consul-wire.ts';

/** Key/value: consul-http-api 3. */

const MAX = 524_288;
const LOCK_FLAG = '3304740253564472344';

let agent: ConsulAgent;
let wire: Wire;
beforeAll(async () => {
  agent = await ConsulAgent.start({ flags: ['-server'], configuration: { node_name: 'n1' } });
  wire = new Wire(agent.url);
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

const put = (key: string, body: unknown = 'v'): Promise<string> =>
  wire.ok(`PUT kv/${key}`, { body }).then(({ text }) => text);
const entry = async (key: string): Promise<Record<string, unknown>> => {
  const [found] = await wire.json<Record<string, unknown>[]>(`GET kv/${key}`);
  return found ?? {};
};
const session = async (options: object = {}): Promise<string> => {
  const body = { LockDelay: '0s', Checks: [], ...options };
  return (await wire.json<{ ID: string }>('PUT session/create', { body })).ID;
};

/** A key in base64 is what Consul calls a value. */
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('GET', () => {
  test('GET kv/: an entry has these members in this order, and no Session', async () => {
    await put('get/a%2Fb?flags=42', 'value');
    const { text, headers } = await wire.ok('GET kv/get/a/b');
    expect(text).toMatch(
      /^\[\{"LockIndex":0,"Key":"get\/a\/b","Flags":42,"Value":"dmFsdWU=","CreateIndex":\d+,"ModifyIndex":\d+\}\]$/,
    );
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-consul-knownleader': 'true' });
  });

  test('GET kv/: a missing key is 404 with an empty body and all headers', async () => {
    const { text, headers } = await checkRow(wire, ['', 'GET kv/get/none', 404, '']);
    expect(text).toBe('');
    expect(Number(headers['x-consul-index'])).toBeGreaterThan(0);
    expect(headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' });
  });

  test('GET kv/: an empty value is null', async () => {
    await put('get/empty', '');
    expect(await entry('get/empty')).toMatchObject({ Value: null });
  });

  test('GET kv/: flags keep all 64 bits', async () => {
    await put(`get/flags?flags=${LOCK_FLAG}`);
    expect((await wire.ok('GET kv/get/flags')).text).toContain(`"Flags":${LOCK_FLAG},`);
    await put('get/flags?flags=18446744073709551615');
    expect((await wire.ok('GET kv/get/flags')).text).toContain('"Flags":18446744073709551615,');
  });

  test('GET kv/: the index is the ModifyIndex of the key', async () => {
    await put('get/index');
    const reply = await wire.ok('GET kv/get/index');
    await put('get/other');
    expect(reply.json()).toEqual([expect.objectContaining({ ModifyIndex: reply.index })]);
    expect((await wire.ok('GET kv/get/index')).index).toBe(reply.index);
  });

  test('GET kv/: raw is the bytes with headers that keep a browser from running them', async () => {
    const body = Buffer.from([0, 1, 0xff, 0x3c, 0x0a]);
    await put('get/raw', body);
    const { bytes, headers } = await wire.ok('GET kv/get/raw?raw');
    expect(bytes).toEqual(body);
    expect(headers).toMatchObject({
      'content-type': 'text/plain',
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
    });
    expect(headers['x-consul-index']).toMatch(/^[1-9]\d*$/);
  });

  test('GET kv/: recurse gives what begins with the raw string, in the order of bytes', async () => {
    for (const key of ['rec/b', 'rec/a/z', 'rec/a', 'rec/A', 'rec/%C3%A9', 'rec/~', 'recx']) await put(key);
    const keys = async (query: string): Promise<unknown[]> =>
      (await wire.json<{ Key: string }[]>(`GET kv/${query}`)).map(({ Key }) => Key);
    expect(await keys('rec/?recurse')).toEqual(['rec/A', 'rec/a', 'rec/a/z', 'rec/b', 'rec/~', 'rec/é']);
    expect(await keys('rec/a?recurse')).toEqual(['rec/a', 'rec/a/z']);
    expect(await keys('re?recurse=')).toContain('recx');
    expect(await keys('?recurse')).toEqual(expect.arrayContaining(['get/a/b', 'rec/a', 'recx']));
  });

  test('GET kv/: keys are cut after the first separator past the prefix, once each', async () => {
    await put('base/base/foo');
    await put('base/base/bar');
    await put('base/foo');
    for (const [query, wanted] of [
      ['base/?keys', ['base/base/bar', 'base/base/foo', 'base/foo']],
      ['base/?keys&separator=/', ['base/base/', 'base/foo']],
      ['base/?keys&seperator=/', ['base/base/', 'base/foo']],
      ['base?keys&separator=/', ['base/']],
      ['base/?keys&separator=a', ['base/ba', 'base/foo']],
      ['base/b?keys&separator=oo', ['base/base/bar', 'base/base/foo']],
    ] as const)
      expect(await wire.json(`GET kv/${query}`), query).toEqual(wanted);
  });

  testRows(
    () => wire,
    [
      ['GET kv/: no key is 400', 'GET kv/', 400, 'Missing key name'],
      ['GET kv/: no key for raw is 400', 'GET kv/?raw', 400, 'Missing key name'],
      ['GET kv/: recurse over nothing is 404', 'GET kv/nothing/?recurse', 404, ''],
      ['GET kv/: keys over nothing is 404', 'GET kv/nothing/?keys', 404, ''],
      ['GET kv/: raw of nothing is 404', 'GET kv/nothing?raw', 404, ''],
      ['GET kv/: a .. segment is 400', 'GET kv/a/../b', 400, /\.\./],
      ['GET kv/: a .. segment in escapes is 400', 'GET kv/a%2F%2E%2E%2Fb', 400, /\.\./],
      ['GET kv/: a broken escape is 400', 'GET kv/a%zz', 400, /invalid URL escape/],
      ['GET kv/: an unknown datacenter is 500', 'GET kv/a?dc=mars', 500, 'No path to datacenter'],
      ['GET kv/: stale and consistent is 400', 'GET kv/a?stale&consistent', 400, /^Cannot specify \?stale with/],
    ],
  );
});

describe('PUT', () => {
  test.each([
    ['a byte that is no UTF-8', 'odd/a%ffb'],
    ['a c-cedilla', 'odd/%C3%A7'],
    ['a line break', 'odd/a%0Ab'],
    ['a NUL', 'odd/%00'],
    ['a percent sign', 'odd/100%25'],
    ['a plus and a semicolon', 'odd/+;&=@!$'],
    ['a question mark and a hash', 'odd/%3F%23'],
    ['more than 100 characters', `odd/${'k'.repeat(400)}`],
    ['dots that are no .. segment', 'odd/..a/b../.../.'],
    ['slashes at both ends', 'odd//'],
  ])('PUT kv/: a key may have %s', async (_, key) => {
    expect(await put(key, 'odd')).toBe('true');
    expect((await wire.ok(`GET kv/${key}?raw`)).text).toBe('odd');
    expect(await wire.json<unknown[]>(`GET kv/${key}?keys`)).toHaveLength(1);
    expect((await wire.ok(`DELETE kv/${key}`)).text).toBe('true');
    await checkRow(wire, ['', `GET kv/${key}`, 404, '']);
  });

  test('PUT kv/: the body is taken as it is, whatever its Content-Type', async () => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data', '??']) {
      await wire.ok('PUT kv/put/typed', { body: 'x=1&y=%20', headers: { 'Content-Type': type } });
      expect((await wire.ok('GET kv/put/typed?raw')).text).toBe('x=1&y=%20');
    }
  });

  test('PUT kv/: a body in chunks', async () => {
    const host = `Host: ${agent.host}:${agent.port}\r\nConnection: close\r\n`;
    const said = await wire.raw(
      `PUT /v1/kv/put/chunked HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`,
    );
    expect(said).toMatch(/^HTTP\/1\.1 200 [^]*true/);
    expect((await wire.ok('GET kv/put/chunked?raw')).text).toBe('abcde');
  });

  test('PUT kv/: 512 KiB are taken, a byte more is 413', async () => {
    expect(await put('put/big', Buffer.alloc(MAX, 1))).toBe('true');
    const row = [
      '',
      'PUT kv/put/big',
      413,
      /^Request body\(524289 bytes\) too large, max size: 524288 bytes\. See https?:\/\/\S+\.$/,
      Buffer.alloc(MAX + 1),
    ] as const;
    await checkRow(wire, row);
    expect((await wire.ok('GET kv/put/big?raw')).bytes).toHaveLength(MAX);
  });

  test('PUT kv/: flags are overwritten, with 0 when they are absent', async () => {
    await put('put/flags?flags=7');
    await put('put/flags', 'w');
    expect(await entry('put/flags')).toMatchObject({ Flags: 0, Value: base64('w') });
  });

  test('PUT kv/: CreateIndex stays, ModifyIndex rises', async () => {
    await put('put/rises', 'a');
    const before = await entry('put/rises');
    await put('put/rises', 'b');
    const after = await entry('put/rises');
    expect(after['CreateIndex']).toBe(before['CreateIndex']);
    expect(Number(after['ModifyIndex'])).toBeGreaterThan(Number(before['ModifyIndex']));
  });

  test('PUT kv/: the same value and flags do not move ModifyIndex', async () => {
    await put('put/same?flags=3', 'a');
    const before = await entry('put/same');
    expect(await put('put/same?flags=3', 'a')).toBe('true');
    expect(await entry('put/same')).toEqual(before);
  });

  test('PUT kv/: cas=0 is only for what is not there', async () => {
    expect(await put('put/cas0?cas=0', 'first')).toBe('true');
    expect(await put('put/cas0?cas=0', 'second')).toBe('false');
    expect((await wire.ok('GET kv/put/cas0?raw')).text).toBe('first');
  });

  test('PUT kv/: cas=I is only at that ModifyIndex, and false where nothing is', async () => {
    await put('put/cas', 'a');
    const { ModifyIndex: at } = await entry('put/cas');
    expect(await put(`put/cas?cas=${Number(at) + 1}`, 'b')).toBe('false');
    expect(await put(`put/cas?cas=${String(at)}`, 'b')).toBe('true');
    expect(await put(`put/cas?cas=${String(at)}`, 'c')).toBe('false');
    expect(await put('put/cas-none?cas=5', 'c')).toBe('false');
    await checkRow(wire, ['', 'GET kv/put/cas-none', 404, '']);
  });

  test('PUT kv/: acquire of a free key gives it a Session and counts LockIndex', async () => {
    const id = await session();
    expect(await put(`lock/a?acquire=${id}&flags=9`, 'mine')).toBe('true');
    expect(await entry('lock/a')).toMatchObject({ Session: id, LockIndex: 1, Flags: 9, Value: base64('mine') });
    expect(await put(`lock/a?acquire=${id}`, 'again')).toBe('true');
    expect(await entry('lock/a')).toMatchObject({ Session: id, LockIndex: 1, Value: base64('again') });
  });

  test('PUT kv/: acquire of what another session holds is false and changes nothing', async () => {
    const [one, two] = [await session(), await session()];
    await put(`lock/b?acquire=${one}`, 'one');
    const before = await entry('lock/b');
    expect(await put(`lock/b?acquire=${two}`, 'two')).toBe('false');
    expect(await entry('lock/b')).toEqual(before);
  });

  test('PUT kv/: a plain write keeps the lock', async () => {
    const id = await session();
    await put(`lock/c?acquire=${id}`, 'mine');
    expect(await put('lock/c', 'anyone')).toBe('true');
    expect(await entry('lock/c')).toMatchObject({ Session: id, LockIndex: 1, Value: base64('anyone') });
  });

  test('PUT kv/: release by its session stores the value, frees the key and keeps LockIndex', async () => {
    const [one, two] = [await session(), await session()];
    await put(`lock/d?acquire=${one}`, 'one');
    expect(await put(`lock/d?release=${two}`, 'two')).toBe('false');
    expect(await put(`lock/d?release=${one}`, 'done')).toBe('true');
    expect(await entry('lock/d')).toMatchObject({ LockIndex: 1, Value: base64('done') });
    expect(await entry('lock/d')).not.toHaveProperty('Session');
    expect(await put(`lock/d?acquire=${two}`, 'two')).toBe('true');
    expect(await entry('lock/d')).toMatchObject({ Session: two, LockIndex: 2 });
  });

  test('PUT kv/: a key inside a lock-delay cannot be acquired; a voluntary release starts none', async () => {
    const holder = await session({ LockDelay: '60s' });
    const other = await session();
    await put(`lock/e?acquire=${holder}`);
    await put(`lock/e?release=${holder}`);
    expect(await put(`lock/e?acquire=${other}`)).toBe('true');
    await put(`lock/f?acquire=${holder}`);
    await wire.ok(`PUT session/destroy/${holder}`);
    expect(await put(`lock/f?acquire=${other}`)).toBe('false');
  });

  const NO_SESSION = 'b5a8ac0c-7a41-4a5a-8b8a-0a0d58b5f9d1';
  testRows(
    () => wire,
    [
      ['PUT kv/: no key is 400', 'PUT kv/', 400, 'Missing key name', 'x'],
      ['PUT kv/: release by an unknown session is false', `PUT kv/lock/none?release=${NO_SESSION}`, 200, 'false', 'x'],
      [
        'PUT kv/: acquire by an unknown session is 500',
        `PUT kv/lock/none?acquire=${NO_SESSION}`,
        500,
        new RegExp(`^invalid session "${NO_SESSION}"`),
        'x',
      ],
      ['PUT kv/: acquire by what is no id is 500', 'PUT kv/lock/none?acquire=xyz', 500, /^invalid session "xyz"/, 'x'],
      [
        'PUT kv/: cas and acquire conflict',
        'PUT kv/x?cas=1&acquire=s',
        400,
        'Conflicting flags: acquire=s&cas=1\n',
        'x',
      ],
      [
        'PUT kv/: acquire and release conflict',
        'PUT kv/x?release=s&acquire=s',
        400,
        'Conflicting flags: acquire=s&release=s\n',
        'x',
      ],
      [
        'PUT kv/: cas and release conflict',
        'PUT kv/x?cas=1&release=s',
        400,
        'Conflicting flags: cas=1&release=s\n',
        'x',
      ],
      ['PUT kv/: acquire by nobody is 500', 'PUT kv/lock/none?acquire=', 500, /session/, 'x'],
      ['PUT kv/: cas that is no number is 400', 'PUT kv/x?cas=one', 400, /one/, 'x'],
      ['PUT kv/: flags that are no number are 400', 'PUT kv/x?flags=one', 400, /one/, 'x'],
      ['PUT kv/: flags over 64 bits are 400', 'PUT kv/x?flags=18446744073709551616', 400, /18446744073709551616/, 'x'],
      ['PUT kv/: a .. segment is 400', 'PUT kv/a/..', 400, /\.\./, 'x'],
      ['PUT kv/: an unknown datacenter is 500', 'PUT kv/a?dc=mars', 500, 'No path to datacenter', 'x'],
    ],
  );
});

describe('DELETE', () => {
  test('DELETE kv/: a key goes, what begins like it stays; what is missing is true too', async () => {
    for (const key of ['del/a', 'del/a/b', 'del/ab']) await put(key);
    expect((await wire.ok('DELETE kv/del/a')).text).toBe('true');
    expect((await wire.ok('DELETE kv/del/a')).text).toBe('true');
    expect(await wire.json('GET kv/del/?keys')).toEqual(['del/a/b', 'del/ab']);
  });

  test('DELETE kv/: recurse takes the prefix as a raw string', async () => {
    for (const key of ['tree/a', 'tree/a/b', 'tree/ab', 'tree/b']) await put(key);
    expect((await wire.ok('DELETE kv/tree/a?recurse')).text).toBe('true');
    expect(await wire.json('GET kv/tree/?keys')).toEqual(['tree/b']);
    expect((await wire.ok('DELETE kv/tree/none?recurse')).text).toBe('true');
  });

  test('DELETE kv/: cas=I deletes only at that ModifyIndex; what is missing is true', async () => {
    await put('del/cas', 'a');
    const { ModifyIndex: at } = await entry('del/cas');
    expect((await wire.ok(`DELETE kv/del/cas?cas=${Number(at) - 1}`)).text).toBe('false');
    expect((await wire.ok(`DELETE kv/del/cas?cas=${String(at)}`)).text).toBe('true');
    expect((await wire.ok(`DELETE kv/del/cas?cas=${String(at)}`)).text).toBe('true');
  });

  test('DELETE kv/: moves the index of its prefix forward', async () => {
    await put('del/i/a');
    await put('del/i/b');
    const { index } = await wire.ok('GET kv/del/i/?recurse');
    await wire.ok('DELETE kv/del/i/a');
    const after = await wire.ok('GET kv/del/i/?recurse');
    expect(after.index).toBeGreaterThan(index);
    await wire.ok('DELETE kv/del/i/b');
    expect((await wire.ask('GET kv/del/i/?recurse')).index).toBeGreaterThan(after.index);
  });

  testRows(
    () => wire,
    [
      ['DELETE kv/: no key without recurse is 400', 'DELETE kv/', 400, 'Missing key name'],
      ['DELETE kv/: recurse and cas conflict', 'DELETE kv/x?recurse&cas=1', 400, 'Conflicting flags: cas=1&recurse=\n'],
      ['DELETE kv/: cas that is no number is 400', 'DELETE kv/x?cas=one', 400, /one/],
      ['DELETE kv/: a .. segment is 400', 'DELETE kv/../x', 400, /\.\./],
      ['DELETE kv/: an unknown datacenter is 500', 'DELETE kv/a?dc=mars', 500, 'No path to datacenter'],
    ],
  );

  test('DELETE kv/: recurse without a prefix takes everything', async () => {
    expect((await wire.ok('DELETE kv/?recurse')).text).toBe('true');
    expect((await wire.ok('GET kv/?keys')).text).toBe('[]');
  });
});

describe('an agent with an empty store and small limits', () => {
  let small: ConsulAgent;
  let other: Wire;
  beforeAll(async () => {
    const configuration = { node_name: 'n1', limits: { kv_max_value_size: 10 } };
    small = await ConsulAgent.start({ flags: ['-server'], configuration });
    other = new Wire(small.url);
  });
  afterAll(async () => {
    other?.[Symbol.dispose]();
    await small?.[Symbol.asyncDispose]();
  });

  testRows(
    () => other,
    [
      ['GET kv/: keys over an empty store are [] with 200', 'GET kv/?keys', 200, '[]'],
      ['GET kv/: recurse over an empty store is 404', 'GET kv/?recurse', 404, ''],
      ['DELETE kv/: everything of an empty store', 'DELETE kv/?recurse', 200, 'true'],
      ['PUT kv/: kv_max_value_size moves the limit: 10 of 10 bytes', 'PUT kv/a', 200, 'true', '0123456789'],
      [
        'PUT kv/: 11 of 10 bytes',
        'PUT kv/a',
        413,
        /^Request body\(11 bytes\) too large, max size: 10 bytes/,
        '0123456789a',
      ],
    ],
  );
});
