import { expect, it } from 'vitest';
import { parseSessions } from './sessions.ts';

const ANSWER = `0x5655568e0f90: proto=tcpv4 src=127.0.0.1:42350 fe=api be=api srv=a:2Fone::2 ts=00 epoch=0 age=0s calls=2 exp=1s
0x7f93ac0365b0: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0 age=0s calls=1 exp=10s
0x5655568e0f91: proto=tcpv4 src=127.0.0.1:42351 fe=api be=api srv=<none> ts=00 epoch=0 age=0s calls=1 exp=1s

`;

it('parseSessions() gives each session its backend and its member, whatever the generation of the server', () => {
  expect(parseSessions(ANSWER)).toEqual([{ id: '0x5655568e0f90', backend: 'api', key: 'a/one' }]);
});

it.each(['', '\n', 'Permission denied\n'])('parseSessions() finds nothing in %j', (text) => {
  expect(parseSessions(text)).toEqual([]);
});
