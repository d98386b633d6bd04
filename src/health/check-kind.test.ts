import { expect, test } from 'vitest';
import type { CheckDefinition } from '../definition/index.ts';
import { checkKind, runsCommand } from './check-kind.ts';

test.each<[CheckDefinition, string]>([
  [{ args: ['check_load', '-w', '5'] }, 'script'],
  [{ script: 'curl -s http://127.0.0.1:9200' }, 'script'],
  [{ http: 'https://user:secret@api.example.com/status?x=1' }, 'http'],
  [{ tcp: '[::1]:22' }, 'tcp'],
  [{ tcp: ':22' }, 'tcp'],
  [{ ttlMs: 10_000 }, 'ttl'],
  [{ udp: '127.0.0.1:53' }, 'udp'],
  [{ grpc: '127.0.0.1:50051/my.Service' }, 'grpc'],
  [{ h2ping: '127.0.0.1:443' }, 'h2ping'],
  [{ dockerContainerId: 'c', args: ['check'] }, 'docker'],
  [{ dockerContainerId: 'c', script: 'check', shell: '/bin/ash' }, 'docker'],
  [{ osService: 'systemd-journald@x.service' }, 'os_service'],
  [{ aliasService: 'web' }, 'alias'],
  [{ aliasNode: 'n2' }, 'alias'],
  [{ aliasService: 'web', aliasNode: 'n2' }, 'alias'],
])('checkKind() of %j is %s', (definition, kind) => {
  expect(checkKind(definition)).toBe(kind);
});

test.each<[CheckDefinition, string]>([
  [{}, 'neither args, script, http, tcp nor ttl'],
  [{ args: [] }, 'neither'],
  [{ args: [''] }, 'empty'],
  [{ script: '' }, 'empty'],
  [{ args: ['true'], script: 'true' }, 'both args and script'],
  [{ tcp: 'a:1', ttlMs: 1 }, 'several at once: tcp, ttl'],
  [{ http: 'localhost:80' }, 'not an http or https URL'],
  [{ http: 'ftp://a/' }, 'not an http or https URL'],
  [{ http: '' }, 'not an http or https URL'],
  [{ tcp: 'localhost' }, 'not host:port'],
  [{ tcp: 'a:0' }, 'not host:port'],
  [{ tcp: 'a:65536' }, 'not host:port'],
  [{ tcp: '::1:80' }, 'not host:port'],
  [{ ttlMs: 0 }, 'TTL must be > 0'],
  [{ udp: 'a' }, 'not host:port'],
  [{ h2ping: 'https://a' }, 'not host:port'],
  [{ grpc: 'a/service' }, 'not host:port/service'],
  [{ dockerContainerId: 'c' }, 'no args to run in the container'],
  [{ dockerContainerId: '', args: ['a'] }, 'its container is empty'],
  [{ dockerContainerId: 'c', args: ['a'], script: 'a' }, 'both args and script'],
  [{ osService: '--help' }, 'not the name of a systemd unit'],
  [{ osService: 'a b' }, 'not the name of a systemd unit'],
  [{ aliasNode: '' }, 'its target is empty'],
  [{ aliasService: 'web', tcp: 'a:1' }, 'several at once: tcp, alias'],
])('checkKind() refuses %j', (definition, why) => {
  expect(() => checkKind(definition)).toThrow(`Invalid check: `);
  expect(() => checkKind(definition)).toThrow(why);
});

test.each<[CheckDefinition, boolean]>([
  [{ args: ['true'] }, true],
  [{ script: 'true' }, true],
  [{ dockerContainerId: 'c', args: ['true'] }, true],
  [{ osService: 'sshd' }, false],
  [{ http: 'http://a/' }, false],
])('runsCommand() of %j is %s', (definition, expected) => {
  expect(runsCommand(definition)).toBe(expected);
});
