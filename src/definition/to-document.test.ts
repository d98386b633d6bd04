import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDefinition } from './parse-definition.ts';
import { toServiceDocument } from './to-document.ts';

test('toServiceDocument() leaves out what is not set', () => {
  expect(toServiceDocument(parseDefinition({ id: 'x' }))).toEqual({
    id: 'x',
    command: false,
    protocol: 'tcp',
    checks: [],
  });
});

test('toServiceDocument() writes the keys of the file', () => {
  const input = {
    id: 'x',
    command: './x',
    run_list: ['a'],
    environment: { A: '1' },
    requires: ['api', { B: '{C}' }],
    provides: { D: 'http://{HOST}' },
    local_port: 80,
    protocol: 'http',
    bind: 'node',
    panic: 'keep',
    public: true,
    hosts: ['example.com'],
    federation: 'pci',
    shared: true,
    checks: [
      { http: 'http://{HOST}:{PORT}/', interval: '10s', header: { A: ['b'] } },
      { tcp: '{HOST}:{PORT}', tcp_use_tls: true, tls_server_name: 'x', interval: '10s' },
      { udp: '{HOST}:{PORT}', interval: '10s' },
      { grpc: '{HOST}:{PORT}/x', grpc_use_tls: true, interval: '10s' },
      { h2ping: '{HOST}:{PORT}', h2ping_use_tls: false, interval: '10s' },
      { docker_container_id: 'x', script: 'true', shell: '/bin/ash', interval: '10s' },
      { os_service: 'x.service', interval: '10s' },
      { alias_service: 'y', alias_node: 'n' },
    ],
    meta: { rack: 'r1' },
    incarnation: 'blue',
    run: { cpu: 1 },
    regions: { eu: { local_port: 81 } },
  };
  expect(toServiceDocument(parseDefinition(input))).toEqual(input);
});

test('toServiceDocument() gives what parses to the same definition, and JSON keeps it', () => {
  const name = fc.constantFrom('A', 'B', 'C');
  const input = fc.record(
    {
      id: fc.constantFrom('a', 'b-c'),
      command: fc.oneof(fc.boolean(), fc.constant('./x'), fc.constant(['a', 'b'])),
      environment: fc.dictionary(
        name,
        fc.oneof(
          fc.string().map((text) => text.replaceAll('\0', '')),
          fc.integer(),
          fc.boolean(),
        ),
      ),
      requires: fc.oneof(fc.constant(['api']), fc.constant(['api', { X: '{A}' }]), fc.constant({ X: '{A}{b.C}' })),
      provides: fc.dictionary(name, fc.constantFrom('http://{HOST}', 'x', '{{}}')),
      local_port: fc.integer({ min: 1, max: 65_535 }),
      protocol: fc.constantFrom('http', 'tcp'),
      shared: fc.boolean(),
      status: fc.constant('/status'),
      checks: fc.array(fc.constantFrom({ ttl: '1m30s' }, { tcp: 'h:1', interval: '250ms', Timeout: 1_500_000_000 }), {
        maxLength: 2,
      }),
      run: fc.constant('static'),
    },
    { requiredKeys: ['id'] },
  );
  fc.assert(
    fc.property(input, (value) => {
      const definition = parseDefinition(value);
      expect(parseDefinition(toServiceDocument(definition))).toEqual(definition);
      expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
    }),
    { numRuns: 100 },
  );
});
