import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { refuseTakenPort } from './refuse-taken-port.ts';

const address = '127.0.0.1';

test('refuseTakenPort() names who holds a port, and leaves a free one free', async () => {
  const server = net.createServer().listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  try {
    await expect(refuseTakenPort({ address, port })).rejects.toMatchObject({
      code: 'API_PORT_TAKEN',
      message: expect.stringContaining(`(pid ${process.pid})`),
    });
  } finally {
    await server[Symbol.asyncDispose]();
  }
  await refuseTakenPort({ address, port });
  await refuseTakenPort({ address, port });
});

test.each([0, -1])('refuseTakenPort() takes %i for nobody’s', async (port) => {
  await refuseTakenPort({ address, port });
});

test('refuseTakenPort() passes on why an address cannot be listened on', async () => {
  await expect(refuseTakenPort({ address: '192.0.2.1', port: 8_500 })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
});
