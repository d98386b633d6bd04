import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';
import { Wire } from './consul-wire.ts';

/** Filter expressions: consul-http-api 12. */

type Row = Record<string, unknown>;

let agent: ConsulAgent;
let wire: Wire;
beforeAll(async () => {
  agent = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'n1', node_meta: { rack: 'r0' } } });
  wire = new Wire(agent.url);
  const instances = [
    {
      Node: 'east',
      meta: { rack: 'r1', 'a-b': 'dashed' },
      version: '1',
      tags: ['blue', 'v1'],
      port: 80,
      status: 'passing',
    },
    { Node: 'west', meta: { rack: 'r2' }, version: '2', tags: ['green', 'v2'], port: 81, status: 'warning' },
  ];
  for (const { Node, meta, version, tags, port, status } of instances)
    await wire.ok('PUT catalog/register', {
      body: {
        Node,
        Address: `10.0.0.${port}`,
        NodeMeta: meta,
        TaggedAddresses: { wan: `1.2.3.${port}` },
        Service: { ID: `web-${Node}`, Service: 'web', Tags: tags, Meta: { version }, Port: port },
        Check: { CheckID: `check-${Node}`, Name: `Check of ${Node}`, ServiceID: `web-${Node}`, Status: status },
      },
    });
  await wire.ok('PUT catalog/register', { body: { Node: 'west', Address: '10.0.0.81', Service: { Service: 'db' } } });
  const local = { ID: 'app-1', Name: 'app', Tags: ['blue'], Meta: { version: '1' }, Port: 90 };
  await wire.ok('PUT agent/service/register', { body: { ...local, Check: { CheckID: 'app-check', TTL: '10m' } } });
  await wire.ok('PUT agent/service/register', { body: { ID: 'app-2', Name: 'app', Port: 91 } });
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

const ask = (call: string, expression: string) =>
  wire.ask(`${call}${call.includes('?') ? '&' : '?'}filter=${encodeURIComponent(expression)}`);

/** What tells the rows of an answer apart, in order. */
async function rowsOf(call: string, expression: string): Promise<string[]> {
  const reply = await ask(call, expression);
  expect(reply.status, `${expression}: ${reply.text}`).toBe(200);
  const answer = reply.json<unknown>();
  if (Array.isArray(answer)) return answer.map((row) => nameOf(row as Row)).toSorted();
  const { Services } = answer as { Services?: object };
  if (Array.isArray(Services)) return Services.map((row) => nameOf(row as Row)).toSorted();
  return Object.keys(Services ?? (answer as object)).toSorted();
}

function nameOf(row: Row): string {
  const { ServiceID, CheckID, Service, ID, Node } = row;
  if (typeof CheckID === 'string') return CheckID;
  if (typeof ServiceID === 'string') return ServiceID;
  if (Service !== null && typeof Service === 'object') return String((Service as Row).ID);
  return typeof Service === 'string' ? String(ID) : String(Node);
}

/** Two instances of `web`: on `east` with version 1 and the tags blue and v1, on `west` with 2, green and v2. */
const EAST = ['web-east'];
const WEST = ['web-west'];
const BOTH = ['web-east', 'web-west'];

describe('expressions', () => {
  test.each([
    ['==', 'ServiceMeta.version == "1"', EAST],
    ['== with a bare number', 'ServiceMeta.version == 2', WEST],
    ['== with a bare word', 'Node == east', EAST],
    ['== with a raw text', 'Node == `west`', WEST],
    ['== of a number', 'ServicePort == 80', EAST],
    ['== of a boolean', 'ServiceEnableTagOverride == false', BOTH],
    ['!=', 'Node != east', WEST],
    ['in a list', '"blue" in ServiceTags', EAST],
    ['in a list, bare', 'green in ServiceTags', WEST],
    ['not in a list', 'blue not in ServiceTags', WEST],
    ['in a map', 'version in ServiceMeta', BOTH],
    ['in a map, a key that one lacks', '"a-b" in NodeMeta', EAST],
    ['in a text', 'eas in Node', EAST],
    ['contains', 'ServiceTags contains blue', EAST],
    ['not contains', 'ServiceTags not contains blue', WEST],
    ['is empty', 'ServiceTags is empty', []],
    ['is not empty', 'ServiceTags is not empty', BOTH],
    ['is empty of a text', 'ServiceAddress is empty', BOTH],
    ['matches', 'Node matches "^e.*t$"', EAST],
    ['matches anywhere', 'Node matches "es"', WEST],
    ['not matches', 'Node not matches "^e"', WEST],
    ['matches with a class of RE2', 'Node matches `^[[:alpha:]]+$`', BOTH],
    ['and', 'Node == east and ServicePort == 80', EAST],
    ['and that fails', 'Node == east and ServicePort == 81', []],
    ['or', 'Node == east or ServicePort == 81', BOTH],
    ['not', 'not Node == east', WEST],
    ['and before or', 'Node == east or Node == west and ServicePort == 1', EAST],
    ['brackets', '(Node == east or Node == west) and ServicePort == 81', WEST],
    ['not before and', 'not Node == east and ServicePort == 81', WEST],
    ['not of brackets', 'not (Node == east or Node == west)', []],
    ['a key in brackets', 'NodeMeta["a-b"] == dashed', EAST],
    ['a key that is missing, ==', 'ServiceMeta.none == ""', BOTH],
    ['a key that is missing, == a text', 'ServiceMeta.none == x', []],
    ['a key that is missing, !=', 'ServiceMeta.none != x', BOTH],
    ['a key that is missing, in', 'none in ServiceMeta', []],
    ['a pointer', '"/ServiceMeta/version" == 1', EAST],
    ['spaces and lines', ' Node\n==\teast ', EAST],
  ])('http 12: %s', async (_, expression, wanted) => {
    expect(await rowsOf('GET catalog/service/web', expression)).toEqual(wanted);
  });

  test.each([
    ['an unknown selector', 'Nodes == east'],
    ['a selector that goes on after a text', 'Node.x == east'],
    ['no operator', 'Node'],
    ['no value', 'Node =='],
    ['an unknown operator', 'Node = east'],
    ['a bracket that is not closed', '(Node == east'],
    ['a text that is not closed', 'Node == "east'],
    ['something behind the end', 'Node == east west'],
    ['nothing but not', 'not'],
    ['a bad regular expression', 'Node matches "("'],
    ['a number that is none', 'ServicePort == many'],
    ['brackets without end', '('.repeat(5_000)],
  ])('http 12: %s is 400', async (_, expression) => {
    const { status, text } = await ask('GET catalog/service/web', expression);
    expect({ status, text }).toMatchObject({
      status: 400,
      text: expect.stringMatching(/^Failed to create boolean expression evaluator: /),
    });
  });

  test('http 12: an expression that would run long in other engines ends at once', async () => {
    const fromMs = performance.now();
    await ask('GET catalog/service/web', `Node matches "${'(a*)*'.repeat(20)}b"`);
    expect(performance.now() - fromMs).toBeLessThan(5_000);
  });
});

describe('endpoints', () => {
  test.each([
    ['GET catalog/nodes', 'Meta.rack == r1', ['east']],
    ['GET catalog/nodes', 'Node == west or TaggedAddresses.wan == "1.2.3.80"', ['east', 'west']],
    ['GET catalog/nodes', 'Address matches "^10[.]"', ['east', 'west']],
    ['GET catalog/nodes', 'ID is empty and Node == east', ['east']],
    ['GET catalog/service/web', 'NodeMeta.rack == r2', WEST],
    ['GET catalog/service/web', 'ServiceTaggedAddresses is empty', BOTH],
    ['GET catalog/service/web', 'ServiceWeights.Passing == 1', BOTH],
    ['GET catalog/node/west', 'Service == web', WEST],
    ['GET catalog/node/west', 'Meta.version == 2 and v2 in Tags', WEST],
    ['GET catalog/node-services/west', 'Service != web', ['db']],
    ['GET catalog/services', 'ServiceName == web', ['web']],
    ['GET catalog/services', 'ServiceTags contains green', ['web']],
    ['GET catalog/services', 'NodeMeta.rack == r2', ['db', 'web']],
    ['GET health/service/web', 'Node.Meta.rack == r1', EAST],
    ['GET health/service/web', 'Service.Meta.version == 2', WEST],
    ['GET health/service/web', 'Service.Tags contains blue and Node.Node == east', EAST],
    ['GET health/service/web', 'Checks.Status == warning', WEST],
    ['GET health/service/web', 'Service.Port == 80 and Service.Weights.Passing == 1', EAST],
    ['GET health/service/web', 'Node.Meta["a-b"] == dashed', EAST],
    ['GET health/node/west', 'Status == warning', ['check-west']],
    ['GET health/checks/web', 'Node == east', ['check-east']],
    ['GET health/checks/web', 'ServiceTags contains green', ['check-west']],
    ['GET health/state/any', 'CheckID == serfHealth', ['serfHealth']],
    ['GET health/state/any', 'ServiceName == web and Status != passing', ['check-west']],
    ['GET agent/checks', 'ServiceName == app', ['app-check']],
    ['GET agent/checks', 'Status == passing', []],
    ['GET agent/services', 'Service == app and Port == 91', ['app-2']],
    ['GET agent/services', 'blue in Tags', ['app-1']],
    ['GET agent/services', 'Meta.version == 1', ['app-1']],
    ['GET agent/members', 'Name == n1', ['undefined']],
    ['GET agent/members', 'Name == none', []],
  ])('%s: http 12: filter=%s', async (call, expression, wanted) => {
    expect(await rowsOf(call, expression)).toEqual(wanted);
  });

  test.each([
    'GET catalog/nodes',
    'GET catalog/service/web',
    'GET catalog/services',
    'GET catalog/node/west',
    'GET catalog/node-services/west',
    'GET health/service/web',
    'GET health/node/west',
    'GET health/checks/web',
    'GET health/state/any',
    'GET agent/checks',
    'GET agent/services',
    'GET agent/members',
  ])('%s: http 12: a bad filter is 400', async (call) => {
    const { status, text } = await ask(call, 'Nothing == x');
    expect({ status, text }).toMatchObject({
      status: 400,
      text: expect.stringMatching(/^Failed to create boolean expression evaluator: /),
    });
  });

  test('GET health/service/: http 12: a filter narrows what waits too', async () => {
    const call = 'GET health/service/web';
    const { index } = await wire.ok(call);
    const waiting = ask(`${call}?index=${index}&wait=30s`, 'Node.Node == east');
    const Check = { CheckID: 'check-west', Name: 'Check of west', ServiceID: 'web-west', Status: 'critical' };
    await wire.ok('PUT catalog/register', { body: { Node: 'west', Address: '10.0.0.81', Check } });
    const other = { ...Check, CheckID: 'check-east', Name: 'Check of east', ServiceID: 'web-east' };
    await wire.ok('PUT catalog/register', { body: { Node: 'east', Address: '10.0.0.80', Check: other } });
    expect((await waiting).json<Row[]>().map((row) => nameOf(row))).toEqual(EAST);
  });
});
