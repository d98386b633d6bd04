import { fastify } from 'fastify';
import { instanceKey } from '../src/registry/index.ts';
import { instanceRecordOf } from '../src/registry/testing.ts';
import { SqliteStore } from '../src/store/index.ts';
import type { Registration } from './registration.ts';

// The baseline of bench/registration.ts: nothing but a PUT that commits the row an agent commits for the same request,
// through the same store. registration-bare.ts DIRECTORY; says its port when ready.
const store = await SqliteStore.start({ directory: process.argv[2] ?? '' });
const server = fastify({ logger: false });
server.put<{ Body: Registration }>('/v1/agent/service/register', async ({ body }) => {
  const { ID: id, Name: service, Address: address, Port: port } = body;
  const value = JSON.stringify(instanceRecordOf({ id, service, address, port }));
  await store.commit({ compares: [], writes: [{ type: 'put', key: instanceKey('bench', id), value }] });
  return '';
});
await server.listen({ host: '127.0.0.1', port: 0 });
process.once('disconnect', () => {
  server.server.closeAllConnections();
  void server.close().then(() => store[Symbol.asyncDispose]());
});
process.send?.((server.server.address() as { port: number }).port);
