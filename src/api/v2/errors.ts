import { defineError } from '../../lib/index.ts';

/** What `/v2` answers when a request itself is wrong; what it asks for has errors of its own, in the folders below. */
export const unknownPath = defineError('API_UNKNOWN_PATH', 404, (path: string) => `nothing is at ${path}`);
export const wrongMethod = defineError(
  'API_METHOD',
  405,
  (method: string, path: string) => `${path} does not take ${method}`,
);
export const unknownParameter = defineError('API_UNKNOWN_PARAMETER', 400, (text: string) => text);
export const badParameter = defineError('API_BAD_PARAMETER', 400, (text: string) => text);
export const badBody = defineError('API_BAD_BODY', 400, (text: string) => text);
export const bodyTooLarge = defineError(
  'API_BODY_TOO_LARGE',
  413,
  (limit: number) => `the body is larger than ${limit} bytes`,
  { hint: 'send less at once' },
);
export const wrongContentType = defineError(
  'API_CONTENT_TYPE',
  415,
  (type: string) => `a body of type ${JSON.stringify(type)} is not read here`,
  { hint: 'send JSON with the header Content-Type: application/json' },
);
export const badRequestLine = defineError('API_BAD_REQUEST', 400, (text: string) => text, {
  hint: 'percent-encode what is not plain text in a path',
});
export const foreignRequest = defineError('API_FORBIDDEN', 403, (text: string) => text, {
  hint: 'ask by address, as localhost or by the node’s own name, and not from the page of another site',
});
export const stopping = defineError('API_STOPPING', 503, () => 'the agent stops', {
  hint: 'ask again when it is back, or ask another agent',
});
export const noRegion = defineError(
  'API_NO_REGION',
  503,
  () => 'this agent is no server and has none that it could reach: it speaks for its own node only',
  { hint: 'ask a server of the region, or start the agent with --server' },
);
export const unexpected = defineError('API_INTERNAL', 500, () => 'the agent failed to answer', {
  hint: 'the agent’s log says why',
});
export const unknownLocalNode = defineError(
  'API_UNKNOWN_LOCAL_NODE',
  404,
  (node: string) => `this agent hosts no node "${node}"`,
);
export const unknownNode = defineError('API_UNKNOWN_NODE', 404, (node: string) => `unknown node "${node}"`);
export const nodeNotRegistered = defineError(
  'API_NODE_NOT_REGISTERED',
  503,
  (node: string) => `node "${node}" is not in the region yet`,
  { hint: 'its agent has just started or has lost the region: try again' },
);
export const unknownService = defineError(
  'API_UNKNOWN_SERVICE',
  404,
  (federation: string, id: string) => `federation "${federation}" has no service "${id}"`,
);
export const unknownInstance = defineError(
  'API_UNKNOWN_INSTANCE',
  404,
  (node: string, id: string) => `no service with id "${id}" is registered on node "${node}"`,
);
export const unknownDefinition = defineError(
  'API_UNKNOWN_DEFINITION',
  404,
  (federation: string, id: string) => `federation "${federation}" has no definition "${id}"`,
);
export const unknownDatastore = defineError(
  'API_UNKNOWN_DATASTORE',
  404,
  (federation: string, region: string, name: string) =>
    `federation "${federation}" has no datastore ${name} ${region === '-' ? 'for every region' : `of region "${region}"`}`,
);
export const noListener = defineError('API_NO_LISTENER', 404, (node: string) => `node "${node}" has no listener`, {
  hint: 'give the node a provision.command in its agent’s configuration',
});
export const noBalancer = defineError('API_NO_BALANCER', 404, (node: string) => `node "${node}" runs no balancer`, {
  hint: 'give the node a balancer in its agent’s configuration',
});
export const nothingToTrace = defineError(
  'API_NOTHING_TO_TRACE',
  404,
  () => 'no change has concerned anyone since this server started',
  { hint: 'change something, or name a revision' },
);
export const unknownCheck = defineError(
  'API_UNKNOWN_CHECK',
  404,
  (node: string, check: string) => `node "${node}" has no check "${check}", and none is remembered`,
);
export const unknownDeployment = defineError(
  'API_UNKNOWN_DEPLOYMENT',
  404,
  (id: string) => `there is no deployment "${id}"`,
);
export const badDeployment = defineError(
  'API_DEPLOYMENT_CHANGED',
  409,
  (id: string) => `deployment "${id}" was written by somebody else meanwhile`,
  { hint: 'one instance:deploy goes on with it; leave it to that one, or end it first' },
);
