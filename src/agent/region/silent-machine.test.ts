import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../lib/index.ts';
import { tcpProbe, type TcpProbe } from '../liveness/index.ts';
import { isSilentMachine } from './silent-machine.ts';

test('isSilentMachine() takes a refused connection for an answer', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.close();
  expect(await isSilentMachine(tcpProbe(systemClock), '127.0.0.1')).toBe(false);
});

test.each([
  ['accepts', false],
  ['refuses', false],
  ['silent', true],
] as const)('isSilentMachine() of what %s is %s', async (found, isSilent) => {
  const probe: TcpProbe = () => Promise.resolve(found);
  expect(await isSilentMachine(probe, '192.0.2.1')).toBe(isSilent);
});
