import path from 'node:path';
import { NodeLinkKeeper } from '../../src/agent/node-link-keeper.ts';
import { systemClock, TIMING } from '../../src/lib/index.ts';
import { LinkPulse, openNodeChannel } from '../../src/link/index.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf } from '../../src/registry/testing.ts';

/** Nodes in a process of their own: `node link-websocket-nodes.ts FOLDER URL NAME…`; says `linked` when all are. */
const [folder = '', url = '', ...names] = process.argv.slice(2);
const timing = TIMING.local;
const pulse = new LinkPulse({ clock: systemClock, timing });

async function keep(name: string): Promise<void> {
  const keeper = new NodeLinkKeeper({
    node: name,
    connect: (signal) => openNodeChannel({ url, token: '', pulse, signal }),
    isElsewhere: true,
    stateDirectory: path.join(folder, name),
    timing,
    clock: systemClock,
    random: Math.random,
    warn: () => {},
  });
  const { external: _external, ...node } = nodeRecordOf({ name, address: '127.0.0.9', consumers: [] });
  await keeper.open({
    registration: () => ({
      node,
      instances: [instanceRecordOf({ service: 'many', port: 1 })],
      checks: [checkRecordOf({ id: 'up', serviceId: 'many', status: 'passing' })],
    }),
    onView: () => {},
    onOrder: () => {},
    onCut: () => {},
  });
}

await Promise.all(names.map((name) => keep(name)));
process.stdout.write('linked\n');
setInterval(() => {}, 1_000);
