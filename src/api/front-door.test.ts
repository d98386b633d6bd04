import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { FrontDoor, originForm } from './front-door.ts';
import { HTTP_SETTINGS } from './http-settings.ts';
import { startTestApi } from './testing.ts';

const BLOCKED = 'Endpoint is blocked by agent configuration';
const RESTRICTED = 'Access is restricted';

test.each([
  ['GET', '/v1/kv/a', BLOCKED],
  ['GET', 'http://127.0.0.1:8500/v1/kv/a', BLOCKED],
  ['GET', 'HTTPS://anything/v1/kv/a?raw', BLOCKED],
  ['GET', 'http://anything/v1/%6bv/a', BLOCKED],
  ['PUT', 'http://anything/v1/agent/leave', RESTRICTED],
  ['GET', 'http://anything/v1/agent/self', null],
])('FrontDoor holds a whole URL to the rules of its path: %s %s', async (method, url, refusal) => {
  const http = { ...HTTP_SETTINGS, blockEndpoints: ['/v1/kv/'], writeFrom: ['10.0.0.0/8'] };
  await using api = await startTestApi({ http });
  const request = { method, url, headers: { host: '127.0.0.1' }, socket: { remoteAddress: '127.0.0.1' } };
  expect(new FrontDoor(api.context).refusalOf(request as unknown as IncomingMessage)).toBe(refusal);
});

test.each([
  ['/v1/kv/a', '/v1/kv/a'],
  ['http://h/v1/kv/a?x', '/v1/kv/a?x'],
  ['https://h:1', ''],
  ['/http://h/a', '/http://h/a'],
])('originForm(%j) is %j', (url, path) => {
  expect(originForm(url)).toBe(path);
});
