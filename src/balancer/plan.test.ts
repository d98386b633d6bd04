import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Member } from '../registry/index.ts';
import { keyOfServer } from './names.ts';
import { commandsOf, membersNotUp, planBalancer, planMembers } from './plan.ts';
import type { MemberChange } from './plan.ts';
import { isInMaintenance, isInRotation } from './servers-state.ts';
import type { RuntimeServer } from './servers-state.ts';
import { testFrontend, testMember, testServer } from './testing.ts';
import { wantedBackend } from './wanted.ts';

const wanted = (members: readonly Member[], protocol: 'http' | 'tcp' = 'http') => [
  wantedBackend(testFrontend(members, { protocol })),
];

describe('planBalancer()', () => {
  const backends = wanted([testMember('a/x')]);
  for (const [name, running, type] of [
    ['start when none runs', null, 'start'],
    ['reload when the structure differs', { structure: 'old', servers: [] }, 'reload'],
    ['reload when what runs is not known', { structure: null, servers: [] }, 'reload'],
    ['members when only they differ', { structure: 's', servers: [] }, 'members'],
    ['nothing when all is as wanted', { structure: 's', servers: [testServer('a:2Fx')] }, 'nothing'],
  ] as const) {
    it(`says ${name}`, () => expect(planBalancer(running, { structure: 's', backends }).type).toBe(type));
  }
});

describe('planMembers()', () => {
  const cases: readonly [string, readonly RuntimeServer[], readonly Member[], readonly MemberChange[]][] = [
    [
      'adds a member',
      [],
      [testMember('a/x', { port: 81 })],
      [{ type: 'add', server: 'api/a:2Fx', endpoint: '127.0.0.1:81', weight: 100 }],
    ],
    [
      'takes away one that is gone, after the arrivals',
      [testServer('a:2Fx')],
      [testMember('b/x')],
      [
        { type: 'add', server: 'api/b:2Fx', endpoint: '127.0.0.1:80', weight: 100 },
        { type: 'leave', server: 'api/a:2Fx', closeSessions: false },
      ],
    ],
    [
      'makes a new object of one that moved',
      [testServer('a:2Fx')],
      [testMember('a/x', { port: 81 })],
      [
        { type: 'add', server: 'api/a:2Fx::2', endpoint: '127.0.0.1:81', weight: 100 },
        { type: 'leave', server: 'api/a:2Fx', closeSessions: false },
      ],
    ],
    [
      'sets weights',
      [testServer('a:2Fx'), testServer('b:2Fx')],
      [testMember('a/x'), testMember('b/x', { weight: 2 })],
      [{ type: 'weight', server: 'api/b:2Fx', weight: 200 }],
    ],
    [
      'drains one that drains',
      [testServer('a:2Fx')],
      [testMember('a/x', { draining: true })],
      [{ type: 'drain', server: 'api/a:2Fx' }],
    ],
    ['lets a drained one be', [testServer('a:2Fx', { admin: 8 })], [testMember('a/x', { draining: true })], []],
    ['adds none that only drains', [], [testMember('a/x', { draining: true })], []],
    [
      'brings back one that was drained or is still leaving',
      [testServer('a:2Fx', { admin: 8 }), testServer('b:2Fx', { admin: 1 })],
      [testMember('a/x'), testMember('b/x')],
      [
        { type: 'ready', server: 'api/a:2Fx' },
        { type: 'ready', server: 'api/b:2Fx' },
      ],
    ],
    ['lets one that leaves be', [testServer('a:2Fx', { admin: 1 })], [], []],
    [
      'keeps the object that serves when there are several',
      [testServer('a:2Fx', { admin: 1 }), testServer('a:2Fx::2')],
      [testMember('a/x')],
      [],
    ],
  ];
  for (const [name, servers, members, changes] of cases) {
    it(name, () => expect(planMembers(servers, wanted(members))).toEqual(changes));
  }

  it('closes the sessions of a tcp member that vanished, not of one that was drained before', () => {
    const servers = [testServer('a:2Fx'), testServer('b:2Fx', { admin: 8 })];
    expect(planMembers(servers, wanted([], 'tcp'))).toEqual([
      { type: 'leave', server: 'api/a:2Fx', closeSessions: true },
      { type: 'leave', server: 'api/b:2Fx', closeSessions: false },
    ]);
  });

  it('reaches any wanted members from any runtime in one round, and never disturbs one that serves', () => {
    const member = fc
      .record({
        key: fc.constantFrom('a/x', 'b/x', 'c/x', 'd/x'),
        port: fc.constantFrom(80, 81),
        weight: fc.integer({ min: 0, max: 3 }),
        draining: fc.boolean(),
      })
      .map(({ key, ...rest }) => testMember(key, rest));
    const view = fc.uniqueArray(member, { selector: (one) => one.key });
    fc.assert(
      fc.property(fc.array(view, { minLength: 1, maxLength: 8 }), (views) => {
        let runtime: RuntimeServer[] = [];
        for (const members of views) {
          const backends = wanted(members);
          const changes = planMembers(runtime, backends);
          runtime = changes.flatMap(commandsOf).reduce(obey, runtime);
          expect(planMembers(runtime, backends)).toEqual([]);
          const serving = runtime.filter(isInRotation).map((one) => `${keyOfServer(one.name)}:${one.port}`);
          const routable = members.filter((one) => !one.draining).map((one) => `${one.key}:${one.port}`);
          expect(serving.toSorted()).toEqual(routable.toSorted());
        }
      }),
    );
  });
});

describe('membersNotUp()', () => {
  it('names those in rotation that HAProxy holds to be down', () => {
    const servers = [
      testServer('a', { operational: 0 }),
      testServer('b', { operational: 0, admin: 1 }),
      testServer('c'),
    ];
    expect(membersNotUp(servers)).toEqual(['api/a']);
  });
});

/** A model of HAProxy: what a command does to its servers. Deleting fails here, as while a connection is attached. */
function obey(servers: RuntimeServer[], command: string): RuntimeServer[] {
  const [verb = '', , path = '', ...words] = command.split(' ');
  const name = path.slice(path.indexOf('/') + 1);
  const change = (rest: Partial<RuntimeServer>): RuntimeServer[] =>
    servers.map((server) => (server.name === name ? { ...server, ...rest } : server));
  if (verb === 'add') {
    expect(servers.some((server) => server.name === name)).toBe(false);
    const [address = '', port = ''] = (words[0] ?? '').split(':');
    return [...servers, testServer(name, { address, port: Number(port), weight: Number(words[2]), admin: 1 })];
  }
  expect(servers.some((server) => server.name === name)).toBe(true);
  if (verb === 'enable') return change({ admin: 0 });
  if (verb === 'set' && words[0] === 'weight') return change({ weight: Number(words[1]) });
  if (verb === 'set') return change({ admin: { ready: 0, drain: 8, maint: 1 }[words[1] as 'ready'] });
  expect(verb === 'del' && servers.some((server) => server.name === name && isInMaintenance(server))).toBe(true);
  return servers;
}
