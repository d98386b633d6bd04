import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startTestApi } from '../../src/api/testing.ts';
import { v1Routes } from '../../src/api/v1/routes.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);

/** `GET kv/` and so on: each endpoint of `/v1` with each of its methods. */
async function endpoints(): Promise<string[]> {
  await using api = await startTestApi();
  await using old = await startTestApi({ legacy: true });
  const all = [api, old].flatMap(({ context }) => v1Routes(context));
  return [...new Set(all.flatMap((route) => Object.keys(route.methods).map((method) => `${method} ${route.path}`)))];
}

/** Titles of tests, and of the cases of tables, of the suites that speak to an agent as Consul's clients do. */
function titles(): string {
  const files = globSync('test/integration/consul-wire-*.test.ts', { cwd: ROOT });
  expect(files.length).toBeGreaterThan(0);
  return files.map((file) => readFileSync(path.join(ROOT, file), 'utf8')).join('\n');
}

test('every endpoint of /v1 has a test in test/integration/consul-wire-* that names it, with its method', async () => {
  const text = titles();
  const isNamed = (endpoint: string): boolean => new RegExp(`['"\`[ ]${escaped(endpoint)}(?![\\w-])`).test(text);
  expect((await endpoints()).filter((endpoint) => !isNamed(endpoint))).toEqual([]);
});

test('the page on compatibility speaks of every endpoint of /v1', async () => {
  const page = readFileSync(path.join(ROOT, 'docs/reference/consul-compatibility.md'), 'utf8');
  const rows = [...page.matchAll(/^\| ((?:GET|PUT|POST|DELETE|all).*?) \|/gm)].map(([, row]) => row ?? '').join('\n');
  const words = (endpoint: string): string[] => endpoint.split(/[ /]/).filter((word) => word !== '');
  const isThere = (endpoint: string): boolean => {
    const [, ...parts] = words(endpoint);
    return parts.every((part) => new RegExp(`\\b${escaped(part)}\\b`).test(rows));
  };
  expect((await endpoints()).filter((endpoint) => !isThere(endpoint))).toEqual([]);
});
