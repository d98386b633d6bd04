import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { HandedOver } from './handed-over.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drover-handed-over-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const A = { node: 'n1', identity: 'a' };

async function open(warnings: string[] = [], name = 'watches.json') {
  const clock = new FakeClock();
  const file = path.join(folder, name);
  const handed = await HandedOver.open({ file, clock, warn: (text) => void warnings.push(text) });
  return { clock, file, handed, saved: handed.of(A, 'key a') };
}

test('HandedOver.of() has handed nothing over at first, and then what was saved, each its own', async () => {
  const { handed, saved } = await open();
  expect(await saved.load()).toEqual({ hash: null, cursor: null });
  saved.save({ hash: 'h', cursor: 7 });
  handed.of({ node: 'n2', identity: 'a' }, 'event b').save({ hash: null, cursor: 9 });
  await saved.settled();
  const again = (await open()).handed;
  expect(await again.of(A, 'key a').load()).toEqual({ hash: 'h', cursor: 7 });
  expect(await again.of({ node: 'n2', identity: 'a' }, 'event b').load()).toEqual({ hash: null, cursor: 9 });
  expect(await again.of({ node: 'n2', identity: 'other' }, '').load()).toEqual({ hash: null, cursor: null });
});

test('HandedOver writes a moment later and once, the last of several', async () => {
  const { saved, handed, clock, file } = await open();
  saved.save({ hash: 'one', cursor: null });
  saved.save({ hash: 'two', cursor: null });
  handed.of({ node: 'n2', identity: 'b' }, 'event b').save({ hash: null, cursor: 3 });
  await clock.advance(49);
  await expect(readFile(file)).rejects.toThrow('ENOENT');
  expect(clock.pending).toBe(1);
  await clock.advance(1);
  await saved.settled();
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    n1: { a: { watch: 'key a', hash: 'two', cursor: null } },
    n2: { b: { watch: 'event b', hash: null, cursor: 3 } },
  });
});

test('HandedOver writes again what is saved while it writes', async () => {
  const { saved, clock, file } = await open();
  saved.save({ hash: 'one', cursor: null });
  await clock.advance(50);
  saved.save({ hash: 'two', cursor: null });
  await saved.settled();
  expect(await readFile(file, 'utf8')).toContain('"two"');
});

test('HandedOver.keepOnly() forgets the other watches of a node and nobody else’s', async () => {
  const { handed, saved } = await open();
  const other = handed.of({ node: 'n1', identity: 'b' }, 'key b');
  const elsewhere = handed.of({ node: 'n2', identity: 'b' }, 'key b');
  for (const one of [saved, other, elsewhere]) one.save({ hash: 'h', cursor: null });
  handed.keepOnly('n1', new Set(['a']));
  handed.keepOnly('n3', new Set());
  await handed.settled();
  const again = (await open()).handed;
  const hashOf = async (node: string, identity: string): Promise<string | null> =>
    (await again.of({ node, identity }, '').load()).hash;
  expect([await hashOf('n1', 'a'), await hashOf('n1', 'b'), await hashOf('n2', 'b')]).toEqual(['h', null, 'h']);
});

test('HandedOver.keepNodes() forgets nodes that are not there any more', async () => {
  const { handed, saved } = await open();
  const elsewhere = handed.of({ node: 'n2', identity: 'a' }, 'key a');
  for (const one of [saved, elsewhere]) one.save({ hash: 'h', cursor: null });
  handed.keepNodes(new Set(['n2', 'n3']));
  expect(await saved.load()).toEqual({ hash: null, cursor: null });
  expect(await elsewhere.load()).toEqual({ hash: 'h', cursor: null });
});

test.each(['{"n1": {"a": 5}}', '{', '[1]'])(
  'HandedOver.open() puts a damaged file aside and says so: %s',
  async (text) => {
    const warnings: string[] = [];
    await writeFile(path.join(folder, 'watches.json'), text);
    const { saved, file } = await open(warnings);
    expect(await saved.load()).toEqual({ hash: null, cursor: null });
    expect(warnings).toEqual([expect.stringContaining('the handlers run again')]);
    expect(await readFile(`${file}.damaged`, 'utf8')).toBe(text);
  },
);

test('HandedOver says when it cannot be written, and goes on', async () => {
  const warnings: string[] = [];
  const { saved } = await open(warnings, 'none/watches.json');
  saved.save({ hash: 'h', cursor: null });
  await saved.settled();
  expect(warnings).toEqual([expect.stringContaining('not on the disk')]);
});
