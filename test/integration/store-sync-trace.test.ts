import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findComponent, requireComponent } from '../require-component.ts';
import { storeFixture } from './store-fixture.ts';

interface Call {
  readonly name: string;
  readonly text: string;
  /** Lines of the trace at which it began and returned. */
  readonly began: number;
  ended: number;
  succeeded: boolean;
}

/** System calls in the order in which they began, from `strace -f` with file names (`-y`). */
function parseTrace(trace: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, Call>();
  for (const [line, text] of trace.split('\n').entries()) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(text) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>/.test(rest);
    const call = resumed ? unfinished.get(pid) : newCall(rest, line);
    if (call === undefined) continue;
    if (!resumed) calls.push(call);
    if (rest.endsWith('<unfinished ...>')) unfinished.set(pid, call);
    else Object.assign(call, { ended: line, succeeded: /\) += \d+$/.test(rest) });
  }
  return calls;
}

function newCall(text: string, began: number): Call | undefined {
  const name = /^(\w+)\(/.exec(text)?.[1];
  return name === undefined ? undefined : { name, text, began, ended: Infinity, succeeded: false };
}

requireComponent('strace')('the sqlite store under strace', () => {
  const fixture = storeFixture();

  test('acknowledges no commit before the log that holds it is synced', async () => {
    const directory = fixture.directory();
    const log = path.join(path.dirname(directory), 'trace');
    const only = 'trace=write,pwrite64,writev,pwritev,fsync,fdatasync';
    const strace = [findComponent('strace') ?? 'strace', '-f', '-y', '-s', '8192', '-e', only, '-o', log];
    const [program = '', ...rest] = [...strace, process.execPath, ...fixture.command('mark', directory)];
    await promisify(execFile)(program, rest);
    const calls = parseTrace(readFileSync(log, 'utf8'));
    const onLog = calls.filter((call) => call.text.includes('store.db-wal>'));
    const syncs = onLog.filter((call) => call.name.endsWith('sync') && call.succeeded);
    const writes = onLog.filter((call) => !call.name.endsWith('sync'));
    const acks = calls.filter((call) => /^write\(1<[^>]*>, "ack \d+\\n"/.test(call.text));
    expect(acks.length).toBeGreaterThanOrEqual(300);
    for (const ack of acks) {
      const mark = `mark-${/ack (\d+)/.exec(ack.text)?.[1]}-`;
      const written = writes.find((call) => call.text.includes(mark));
      const synced = syncs.find((call) => written !== undefined && call.began > written.ended);
      expect(written?.ended, mark).toBeLessThan(ack.began);
      expect(synced?.ended, mark).toBeLessThan(ack.began);
    }
  });
});
