// A process that hosts a Listener, to be killed by tests: takes commands as JSON lines, prints receipts and states.
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/lib/index.ts';
import { Listener } from '../../src/listener/index.ts';
import type { ListenerOptions } from '../../src/listener/index.ts';
import { viewOf } from '../../src/listener/testing.ts';
import type { InputsSketch } from '../../src/listener/testing.ts';

type Command =
  | { readonly do: 'offer'; readonly revision: number; readonly inputs: InputsSketch }
  | { readonly do: 'on' | 'off' | 'provision' | 'status' };

const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const given = JSON.parse(process.argv[2] ?? '') as Pick<
  ListenerOptions,
  'stateDirectory' | 'command' | 'timing' | 'timeLimitMs'
>;
const listener = await Listener.start({
  ...given,
  node: 'staging',
  kind: 'command',
  env: { PATH: process.env['PATH'] ?? '' },
  clock: systemClock,
  killAfterMs: 300,
  receipt: (receipt) => say({ receipt }),
});
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  if (command.do === 'offer') await listener.offer(viewOf(command.revision, command.inputs));
  else if (command.do === 'on') await listener.on();
  else if (command.do === 'off') await listener.off();
  else if (command.do === 'provision') await listener.provision({ skipSettle: true });
  say({ status: listener.status(), history: listener.provisions() });
}
