import { HttpApi } from '../src/api/http-api.ts';
import { startTestApi } from '../src/api/testing.ts';

/** That of bench/acl-token.lua. */
const SECRET = '5e6b2d4e-8c35-4b0e-9a41-0123456789ab';
/** As many rules as a team's policy has. */
const RULES = [
  'service_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }\nkey_prefix "app/" { policy = "read" }',
  ...Array.from({ length: 50 }, (_, at) => `key_prefix "team-${at}/" { policy = "write" }`),
].join('\n');

/** One side of the benchmark of access control, started with an IPC channel: `on` (closed) or `off`. */
const [kind] = process.argv.slice(2);
const nodes = ['n1', 'n2', 'n3'].map((name) => ({
  name: `web-${name}`,
  services: [{ service: 'web', port: 80, tags: ['v1'], status: 'passing' as const }],
}));
const { context } = await startTestApi({ nodes, ...(kind === 'on' ? { acl: {} } : {}) });
await context.kvWrites.put('app/limit', Buffer.from('20'));
if (kind === 'on') {
  const none = { description: '', roles: [], serviceIdentities: [], nodeIdentities: [], local: false };
  const { writes } = context.acl;
  await writes.putPolicy(undefined, { name: 'team', description: '', rules: RULES, datacenters: [] });
  await writes.createToken({ ...none, secret: SECRET, policies: [{ name: 'team' }] });
}
const { port } = await HttpApi.start({ context, addresses: ['127.0.0.1'], port: 0 });
process.send?.({ port });
process.on('disconnect', () => process.exit(0));
