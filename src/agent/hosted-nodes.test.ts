import { expect, test } from 'vitest';
import type { NodeConfig } from './config/config.ts';
import type { HostedNode } from './hosted-node.ts';
import { HostedNodes } from './hosted-nodes.ts';
import type { StartedNode } from './start-node.ts';
import { nodeConfigOf, testLog } from './testing.ts';

interface Bench {
  readonly nodes: HostedNodes;
  readonly said: string[];
  /** Names and runs of nodes that refuse to start. */
  readonly refused: Set<string>;
}

const label = ({ name, runs }: NodeConfig): string => `${name}${runs.map((one) => `+${one}`).join('')}`;

function bench(): Bench {
  const said: string[] = [];
  const refused = new Set<string>();
  const start = async (config: NodeConfig): Promise<StartedNode> => {
    if (refused.has(label(config))) throw new Error(`${label(config)} refuses`);
    said.push(`start ${label(config)}`);
    const leave = async (): Promise<number> => said.push(`goodbye ${config.name}`);
    return {
      config,
      node: { leave } as unknown as HostedNode,
      end: async (why) => void said.push(`${why} ${label(config)}`),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  };
  const change = async (_node: StartedNode, config: NodeConfig): Promise<void> => {
    if (refused.has(label(config))) throw new Error(`${label(config)} refuses`);
    said.push(`change ${label(config)}`);
  };
  return { nodes: new HostedNodes({ start, change, log: testLog() }), said, refused };
}

const node = (name: string, ...runs: string[]): NodeConfig => nodeConfigOf({ name, runs });

test('HostedNodes.start() keeps those that started when another cannot, to be ended', async () => {
  const { nodes, said, refused } = bench();
  refused.add('b');
  await expect(nodes.start([node('a'), node('b'), node('c')])).rejects.toThrow('b refuses');
  expect([...nodes.local.keys()]).toEqual(['a', 'c']);
  await nodes[Symbol.asyncDispose]();
  expect(said).toEqual(['start a', 'start c', 'stop a', 'stop c']);
});

test('HostedNodes.apply() takes each step, and knows what runs after it', async () => {
  const { nodes, said } = bench();
  await nodes.start([node('a'), node('b'), node('c')]);
  said.length = 0;
  await nodes.apply([
    { type: 'leave', name: 'c' },
    { type: 'change', config: node('a', 'web') },
    { type: 'restart', config: node('b', 'web') },
    { type: 'add', config: node('d') },
  ]);
  expect(said).toEqual(['goodbye c', 'leave c', 'change a+web', 'leave b', 'start b+web', 'start d']);
  expect(nodes.configs.map(label)).toEqual(['a+web', 'b+web', 'd']);
});

test('HostedNodes.apply() goes on behind a step that fails, and starts the node as it was', async () => {
  const { nodes, said, refused } = bench();
  await nodes.start([node('a'), node('b')]);
  refused.add('a+web').add('b+web');
  said.length = 0;
  const steps = [
    { type: 'restart', config: node('a', 'web') },
    { type: 'change', config: node('b', 'web') },
    { type: 'add', config: node('c') },
  ] as const;
  await expect(nodes.apply(steps)).rejects.toThrow('a+web refuses');
  expect(said).toEqual(['leave a', 'start a', 'start c']);
  expect(nodes.configs.map(label).toSorted()).toEqual(['a', 'b', 'c']);
});

test('HostedNodes.apply() has no node that cannot be started again, so that the next reload adds it', async () => {
  const { nodes, refused } = bench();
  await nodes.start([node('a'), node('b')]);
  refused.add('b').add('b+web');
  await expect(nodes.apply([{ type: 'restart', config: node('b', 'web') }])).rejects.toThrow('b refuses');
  expect([...nodes.local.keys()]).toEqual(['a']);
});

test('HostedNodes.apply() changes nothing when an owner does not exist', async () => {
  const { nodes, said } = bench();
  await nodes.start([node('a')]);
  said.length = 0;
  const environment = { directory: '/e', mode: 0o640, owner: 'nobody-of-that-name' };
  const steps = [
    { type: 'leave', name: 'a' },
    { type: 'add', config: nodeConfigOf({ name: 'b', environment }) },
  ] as const;
  await expect(nodes.apply(steps)).rejects.toMatchObject({ code: 'AGENT_UNKNOWN_OWNER' });
  expect(said).toEqual([]);
});

test('HostedNodes.leave() says goodbye for every node, and ends what is theirs', async () => {
  const { nodes, said } = bench();
  await nodes.start([node('a'), node('b')]);
  said.length = 0;
  await nodes.leave();
  await nodes[Symbol.asyncDispose]();
  expect(said).toEqual(['goodbye a', 'goodbye b', 'leave a', 'leave b']);
});
