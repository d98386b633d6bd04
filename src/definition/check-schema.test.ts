import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseCheck } from './check-schema.ts';

describe('parseCheck()', () => {
  test("takes the document's own check", () => {
    const file = path.resolve(import.meta.dirname, '../../test/fixtures/seeds/check_elasticsearch.json');
    const { service } = JSON.parse(readFileSync(file, 'utf8')) as { service: { check: unknown } };
    expect(parseCheck(service.check)).toEqual({ script: 'curl -s http://127.0.0.1:9200', intervalMs: 10_000 });
  });

  test.each([
    [{ ttl: '30s' }, { ttlMs: 30_000 }],
    [
      { TTL: '1m30s', Name: 'x', Notes: 'n' },
      { ttlMs: 90_000, name: 'x', notes: 'n' },
    ],
    [
      { tcp: 'h:1', interval: 5_000_000_000 },
      { tcp: 'h:1', intervalMs: 5_000 },
    ],
    [
      { args: ['a', 'b'], interval: '1s' },
      { args: ['a', 'b'], intervalMs: 1_000 },
    ],
    [
      { ScriptArgs: ['a'], Interval: '1s', Timeout: '250ms' },
      { args: ['a'], intervalMs: 1_000, timeoutMs: 250 },
    ],
    [
      { HTTP: 'http://h', Interval: '10ms', TLSSkipVerify: true, Header: { Host: ['x'], A: 'b' } },
      { http: 'http://h', intervalMs: 10, tlsSkipVerify: true, header: { Host: ['x'], A: ['b'] } },
    ],
    [
      {
        http: 'http://h',
        interval: '10s',
        tls_skip_verify: false,
        disable_redirects: true,
        check_id: 'c',
        status: 'passing',
      },
      {
        http: 'http://h',
        intervalMs: 10_000,
        tlsSkipVerify: false,
        disableRedirects: true,
        id: 'c',
        initialStatus: 'passing',
      },
    ],
    [
      { TCP: 'h:1', Interval: '1s', SuccessBeforePassing: 2, FailuresBeforeWarning: 1, FailuresBeforeCritical: 3 },
      { tcp: 'h:1', intervalMs: 1_000, successBeforePassing: 2, failuresBeforeWarning: 1, failuresBeforeCritical: 3 },
    ],
    [
      { ttl: '1s', deregister_critical_service_after: '90m', output_max_size: 99_999, ServiceID: 's' },
      { ttlMs: 1_000, deregisterCriticalServiceAfterMs: 5_400_000, outputMaxSize: 4_096, serviceId: 's' },
    ],
    [{ ttl: '1s', token: 'hunter2', name: '' }, { ttlMs: 1_000 }],
    [
      { udp: 'h:1', interval: '1s' },
      { udp: 'h:1', intervalMs: 1_000 },
    ],
    [
      { GRPC: 'h:1/svc', GRPCUseTLS: true, TLSServerName: 'h', Interval: '1s' },
      { grpc: 'h:1/svc', grpcUseTls: true, tlsServerName: 'h', intervalMs: 1_000 },
    ],
    [
      { grpc: 'h:1', grpc_use_tls: false, interval: '1s' },
      { grpc: 'h:1', grpcUseTls: false, intervalMs: 1_000 },
    ],
    [
      { H2PING: 'h:1', H2PingUseTLS: false, Interval: '1s' },
      { h2ping: 'h:1', h2pingUseTls: false, intervalMs: 1_000 },
    ],
    [
      { tcp: 'h:1', tcp_use_tls: true, interval: '1s' },
      { tcp: 'h:1', tcpUseTls: true, intervalMs: 1_000 },
    ],
    [
      { DockerContainerID: 'c', Shell: '/bin/bash', Script: 'check', Interval: '1s' },
      { dockerContainerId: 'c', shell: '/bin/bash', script: 'check', intervalMs: 1_000 },
    ],
    [
      { docker_container_id: 'c', args: ['check', '-v'], interval: '1s' },
      { dockerContainerId: 'c', args: ['check', '-v'], intervalMs: 1_000 },
    ],
    [
      { OSService: 'ssh', Interval: '1s' },
      { osService: 'ssh', intervalMs: 1_000 },
    ],
    [{ AliasService: 'web' }, { aliasService: 'web' }],
    [
      { alias_node: 'n2', alias_service: 'web' },
      { aliasNode: 'n2', aliasService: 'web' },
    ],
  ])('takes %j', (input, expected) => {
    const check = parseCheck(input);
    expect(check).toEqual(expected);
    expect(Object.isFrozen(check)).toBe(true);
  });

  test.each([
    [{}, 'a check needs one of http, tcp, udp, grpc'],
    [{ http: 'x', tcp: 'y', interval: '1s' }, 'a check is of one kind, this one has http and tcp'],
    [{ http: 'x' }, 'a check needs "interval"'],
    [{ tcp: 'x', interval: '0s' }, 'interval: expected a time above 0'],
    [{ ttl: '-1s' }, 'ttl: expected a duration such as "10s"'],
    [{ ttl: 'soon' }, 'ttl: expected a duration such as "10s", "1m30s" or "250ms", found "soon"'],
    [{ ttl: 1.5 }, 'ttl: expected a duration such as "10s"'],
    [{ args: [], interval: '1s' }, 'args: expected the program and its arguments'],
    [{ args: 'ls', interval: '1s' }, 'args: expected a list of texts, found "ls"'],
    [{ ttl: '1s', intervall: '1s' }, 'unknown key "intervall": did you mean "interval"?'],
    [{ ttl: '1s', status: 'great' }, 'status: expected "passing", "warning" or "critical", found "great"'],
    [{ grpc: 'h:1' }, 'a check needs "interval"'],
    [{ grpc: 'h:1', h2ping: 'h:2', interval: '1s' }, 'this one has grpc and h2ping'],
    [{ DockerContainerID: 'x', interval: '1s' }, 'a check in a container needs "args"'],
    [{ DockerContainerID: 'x', interval: '1s', args: ['a'], script: 'a' }, 'args or script, not both'],
    [{ DockerContainerID: 'x', args: ['a'] }, 'a check needs "interval"'],
    [{ script: 'x', shell: '/bin/bash', interval: '1s' }, '"shell" is for docker_container_id'],
    [{ alias_service: 'web', ttl: '1s' }, 'this one has ttl and alias_service'],
    [{ alias_node: 'n', tcp: 'a:1', interval: '1s' }, 'this one has tcp and alias_node'],
    [{ udp: 5, interval: '1s' }, 'udp: expected text, found 5'],
    [{ tcp: 'a:1', interval: '1s', tcp_use_tls: 'yes' }, 'tcp_use_tls: expected true or false, found "yes"'],
    [{ os_servise: 'ssh', interval: '1s' }, 'unknown key "os_servise": did you mean "os_service"?'],
    [{ ttl: '1s', success_before_passing: -1 }, 'success_before_passing: expected'],
    ['ttl', 'expected a map, found "ttl"'],
    [null, 'expected a map, found null'],
  ])('refuses %j: %s', (input, message) => {
    expect(() => parseCheck(input)).toThrow(message);
  });
});

describe("parseCheck() with Consul's wire", () => {
  test.each([
    [{ TTL: '10s', HTTP: '', Args: null, Header: null, Interval: '0s', Foo: 1, OutputMaxSize: 0 }, { ttlMs: 10_000 }],
    [
      { Http: 'http://h', Interval: '10s', ttl: null, toString: 1 },
      { http: 'http://h', intervalMs: 10_000 },
    ],
    [
      { AliasService: 'web', AliasNode: '', UDP: '', GRPC: null, GRPCUseTLS: false, H2PING: '', Interval: '0s' },
      { aliasService: 'web', grpcUseTls: false },
    ],
    [
      { h2ping: 'h:1', H2PingUseTLS: false, Interval: 1_000_000_000, TCPUseTLS: null },
      { h2ping: 'h:1', h2pingUseTls: false, intervalMs: 1_000 },
    ],
    [
      { Script: 'true', Interval: '1s', Args: [] },
      { script: 'true', intervalMs: 1_000 },
    ],
  ])('takes %j', (input, expected) => {
    expect(parseCheck(input, { wire: true })).toEqual(expected);
  });

  test.each([
    [{}, 'a check needs one of'],
    [{ HTTP: 4, Interval: '1s' }, 'http: expected text, found 4'],
    [{ UDP: 'h:1' }, 'a check needs "interval"'],
    [[], 'expected a map'],
  ])('refuses %j: %s', (input, message) => {
    expect(() => parseCheck(input, { wire: true })).toThrow(message);
  });
});
