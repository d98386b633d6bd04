import { fastify } from 'fastify';
import { HttpApi } from '../src/api/http-api.ts';
import { startTestApi } from '../src/api/testing.ts';
import { SqliteStore } from '../src/store/index.ts';

/** One side of bench/kv.ts, started with an IPC channel: `drover DIRECTORY`, or `bare DIRECTORY BYTES` with a GET's answer in base64. */
const [kind, directory = '', bytes = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit(0));
const store = await SqliteStore.start({ directory });
process.send?.({ port: kind === 'bare' ? await startBare(Buffer.from(bytes, 'base64')) : await startDrover() });

/** The whole API, with one key to read. */
async function startDrover(): Promise<number> {
  const { context } = await startTestApi({ store });
  await context.kvWrites.put('read', Buffer.alloc(100, 'x'));
  return (await HttpApi.start({ context, addresses: ['127.0.0.1'], port: 0 })).port;
}

/** A GET that answers the same bytes; a PUT that commits the row of the key through the same store, and nothing else. */
async function startBare(body: Buffer): Promise<number> {
  const server = fastify();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, given, done) => done(null, given));
  server.get('/v1/kv/read', (_request, reply) => reply.type('application/json').send(body));
  server.put<{ Params: { key: string }; Body: Buffer }>('/v1/kv/bench/:key', async (request, reply) => {
    const value = JSON.stringify({ flags: '0', lockIndex: 0, value: request.body.toString('base64') });
    await store.commit({ compares: [], writes: [{ type: 'put', key: `kv/bench/${request.params.key}`, value }] });
    return reply.type('application/json').send('true');
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  return (server.server.address() as { port: number }).port;
}
