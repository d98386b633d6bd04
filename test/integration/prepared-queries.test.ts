import { expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';
import { perTestStack } from '../per-test-stack.ts';

const left = perTestStack();

async function ask(agent: ConsulAgent, method: string, path: string, body?: unknown): Promise<Response> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(`${agent.url}/v1/${path}`, { method, ...sent });
}

interface Executed {
  readonly Nodes: readonly { readonly Service: { readonly ID: string } }[];
}

async function executed(agent: ConsulAgent, name: string): Promise<string[]> {
  const answer = (await (await ask(agent, 'GET', `query/${name}/execute`)).json()) as Executed;
  return answer.Nodes.map(({ Service }) => Service.ID);
}

test('prepared queries, templates and what is bound to a session outlive the agent that is killed', async () => {
  const agent = left.use(await ConsulAgent.start({ flags: ['-server'], configuration: { node_name: 'n1' } }));
  const node = { Node: 'outside', Address: '10.0.0.9' };
  for (const id of ['db-1', 'db-2']) {
    const service = { ID: id, Service: 'db', Tags: [id], Meta: { number: id.slice(-1) } };
    expect((await ask(agent, 'PUT', 'catalog/register', { ...node, Service: service })).status).toBe(200);
  }
  const session = (await (await ask(agent, 'PUT', 'session/create', { Checks: [] })).json()) as { ID: string };
  const create = async (query: object): Promise<string> => {
    const answer = await ask(agent, 'POST', 'query', query);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { ID: string }).ID;
  };
  await create({ Name: 'two', Service: { Service: 'db', Tags: ['!db-1'] } });
  await create({
    Name: 'number-',
    Template: { Type: 'name_prefix_match', Regexp: '^number-([0-9]+)$' },
    Service: { Service: 'db', ServiceMeta: { number: '${match(1)}' } },
  });
  const bound = await create({ Session: session.ID, Service: { Service: 'db' } });
  const all = async (): Promise<unknown> => ({
    two: await executed(agent, 'two'),
    one: await executed(agent, 'number-1'),
    none: await executed(agent, 'number-x'),
    bound: (await executed(agent, bound)).toSorted(),
  });
  const before = await all();
  expect(before).toEqual({ two: ['db-2'], one: ['db-1'], none: [], bound: ['db-1', 'db-2'] });
  const list = await (await ask(agent, 'GET', 'query')).json();
  await agent.end('SIGKILL');
  await agent.begin();
  expect(await all()).toEqual(before);
  expect(await (await ask(agent, 'GET', 'query')).json()).toEqual(list);
  expect((await ask(agent, 'PUT', `session/destroy/${session.ID}`)).status).toBe(200);
  expect((await ask(agent, 'GET', `query/${bound}`)).status).toBe(404);
  const filter = encodeURIComponent('ServiceMeta.number matches "^[2-9]$" and Node == outside');
  const rows = (await (await ask(agent, 'GET', `catalog/service/db?filter=${filter}`)).json()) as {
    ServiceID: string;
  }[];
  expect(rows.map((row) => row.ServiceID)).toEqual(['db-2']);
}, 60_000);
