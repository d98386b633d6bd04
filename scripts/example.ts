// `npm run example -- stop|start|crash SERVICE[@NODE]`: acts on a program of the running example.
// `npm run example -- cluster [--netns] [--agents N]`: a cluster to play with (examples/cluster).
import net from 'node:net';
import { createInterface } from 'node:readline';
import { ACTIONS } from './example/control.ts';
import { CONTROL_SOCKET, STAND_INS } from './example/layout.ts';
import { nameOf } from './example/stand-ins.ts';

const [action = '', target = ''] = process.argv.slice(2);
if (action === 'cluster') await cluster();
else act();

async function cluster(): Promise<void> {
  const { playCluster } = await import('./cluster/play.ts');
  await playCluster(process.argv.slice(3)).catch((error: unknown) => {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  });
}

function act(): void {
  if (!ACTIONS.some((one) => one === action) || target === '') {
    console.error('usage: npm run example -- stop|start|crash SERVICE[@NODE]');
    console.error('       npm run example -- cluster [--netns] [--agents N]');
    console.error(`there are ${STAND_INS.map(nameOf).join(', ')}`);
    process.exit(2);
  }

  const socket = net.connect(CONTROL_SOCKET, () => socket.write(`${action} ${target}\n`));
  socket.on('error', () => {
    console.error('error: the example does not run; start it with npm start');
    process.exit(1);
  });
  createInterface({ input: socket }).on('line', (line) => {
    console.log(line);
    process.exitCode = line.startsWith('error') ? 1 : 0;
  });
}
