import { describe, expect, it } from 'vitest';
import { alertsIn, findHaproxy, workerIdentity } from './haproxy-binary.ts';
import { parseRecord } from './haproxy-record.ts';

describe('alertsIn()', () => {
  it('keeps what is fatal, without pids and the closing words', () => {
    const output = `[NOTICE]   (7917) : haproxy version is 2.6.12
[ALERT]    (7917) : config : parsing [a.cfg:17] : unknown keyword 'bin' in 'frontend' section; did you mean 'bind' maybe ?
[ALERT]    (7917) : config : Error(s) found in configuration file : a.cfg
[ALERT]    (7917) : config : Fatal errors found in configuration.
[WARNING]  (7917) : Loading failure!`;
    expect(alertsIn(output)).toBe(
      "config : parsing [a.cfg:17] : unknown keyword 'bin' in 'frontend' section; did you mean 'bind' maybe ?",
    );
  });

  it('is empty when nothing is, and bounded when much is', () => {
    expect(alertsIn('[WARNING] (1) : hm\n')).toBe('');
    expect(alertsIn('[ALERT] (1) : again\n'.repeat(1_000)).length).toBeLessThanOrEqual(500);
  });
});

describe('findHaproxy()', () => {
  it('takes the given path or none', () => {
    expect(findHaproxy(process.execPath)).toBe(process.execPath);
    expect(findHaproxy('/nonexistent/haproxy')).toBeNull();
  });
});

describe('workerIdentity()', () => {
  it('is nobody else for a process that is not root', () => {
    const identity = workerIdentity();
    if (process.getuid?.() === 0) expect(identity?.user).not.toBe('root');
    else expect(identity).toBeNull();
  });
});

describe('parseRecord()', () => {
  const record = { identity: { pid: 7, startTicks: 9, boot: 'b' }, structure: null, endpoints: ['127.0.0.1:80'] };

  it('reads what was written', () => expect(parseRecord(structuredClone(record))).toEqual(record));

  for (const bad of [
    null,
    {},
    { ...record, identity: { pid: 'x' } },
    { ...record, structure: 7 },
    { ...record, endpoints: {} },
  ]) {
    it(`refuses ${JSON.stringify(bad)}`, () => expect(() => parseRecord(bad)).toThrow(TypeError));
  }
});
