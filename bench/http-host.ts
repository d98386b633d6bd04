import { fastify } from 'fastify';
import { HttpApi } from '../src/api/http-api.ts';
import { startTestApi } from '../src/api/testing.ts';

/** One side of the HTTP benchmark, started with an IPC channel: `drover`, or `bare` with the bytes to answer in base64. */
const [kind, bytes = ''] = process.argv.slice(2);
const port = kind === 'bare' ? await startBare(Buffer.from(bytes, 'base64')) : await startDrover();
process.send?.({ port });
process.on('disconnect', () => process.exit(0));

/** Three passing instances of `web`, as an agent registers them. */
async function startDrover(): Promise<number> {
  const nodes = ['n1', 'n2', 'n3'].map((name, index) => ({
    name: `web-${name}`,
    address: `10.0.0.${index + 1}`,
    taggedAddresses: { lan: `10.0.0.${index + 1}`, wan: `10.0.0.${index + 1}` },
    services: [{ service: 'web', port: 80, tags: ['v1'], status: 'passing' as const }],
  }));
  const { context } = await startTestApi({ nodes });
  const api = await HttpApi.start({ context, addresses: ['127.0.0.1'], port: 0 });
  return api.port;
}

async function startBare(body: Buffer): Promise<number> {
  const server = fastify();
  server.get('/v1/health/service/web', (_request, reply) => reply.type('application/json').send(body));
  await server.listen({ host: '127.0.0.1', port: 0 });
  return (server.server.address() as { port: number }).port;
}
