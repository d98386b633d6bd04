import type { Authority } from '../../access/index.ts';
import { DroverError } from '../../lib/index.ts';
import type { ExternalRegistration, InstanceRecord } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { checkedName } from '../checked-name.ts';
import { badRequest, internal } from '../errors.ts';
import { foldedObject, flagIn, listIn, objectIn, textIn, textsIn, type Folded } from '../fields.ts';
import { parseInstance } from '../parse-instance.ts';
import { MAX_CHECKS } from '../registration.ts';
import { parseCatalogCheck } from './catalog-check.ts';
import { demandDeregister, demandRegister } from './catalog-demands.ts';
import { bodyJson, changedAt, type V1Answer, type V1Request } from './exchange.ts';
import { checkDatacenter } from './parameters.ts';

/** `PUT /v1/catalog/register`: a node that no agent vouches for, with a service and checks. */
export async function register(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const body = foldedObject(bodyJson(request), 'body');
  checkDatacenter(context, textIn(body, 'datacenter'));
  const registration = registrationOf(context, body);
  demandRegister(context, authorityOf(context, request, body), registration);
  try {
    const revision = await context.registry.registerExternal(registration);
    return { json: 'true', headers: changedAt(revision) };
  } catch (error) {
    if (error instanceof DroverError && error.code === 'REGISTRY_UNKNOWN_INSTANCE')
      throw internal('Missing service registration');
    throw error;
  }
}

/** `PUT /v1/catalog/deregister`: a node with all, or one service with its checks, or one check; `true` also for what is not there. */
export async function deregister(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const body = foldedObject(bodyJson(request), 'body');
  checkDatacenter(context, textIn(body, 'datacenter'));
  const node = textIn(body, 'node');
  if (node === '') throw internal('Must provide node');
  const serviceId = textIn(body, 'serviceid');
  const checkId = textIn(body, 'checkid');
  demandDeregister(context, authorityOf(context, request, body), { node, serviceId, checkId });
  const revision = await context.registry.deregister({
    node,
    ...(serviceId === '' ? {} : { serviceId }),
    ...(checkId === '' ? {} : { checkId }),
  });
  return { json: 'true', headers: changedAt(revision) };
}

/** What its token may; one that comes without may bring it in its body, as python-consul does when it deregisters. */
function authorityOf({ access }: ApiContext, request: V1Request, body: Folded): Authority {
  const secret = textIn(foldedObject(objectIn(body, 'writerequest') ?? {}, 'WriteRequest'), 'token');
  const isInBody = access.isEnabled && !request.hasToken && secret !== '';
  return isInBody ? access.authorityOf(secret) : request.authority;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function registrationOf(context: ApiContext, body: Folded): ExternalRegistration {
  const name = textIn(body, 'node');
  const address = textIn(body, 'address');
  if (name === '' || address === '') throw internal('Must provide node and address');
  checkedName(name, 'the name of a node');
  checkedName(address, 'the address of a node');
  const id = textIn(body, 'id');
  if (id !== '' && !UUID.test(id)) throw internal(`Bad node ID: ${JSON.stringify(id)} is no UUID`);
  const instance = instanceOf(objectIn(body, 'service'));
  const single = objectIn(body, 'check');
  const checks = [...(single === undefined ? [] : [single]), ...listIn(body, 'checks')];
  if (checks.length > MAX_CHECKS) throw badRequest(`more than ${MAX_CHECKS} checks in one registration`);
  const owner = { node: name, nowMs: context.clock.wall() };
  return {
    node: {
      name,
      address,
      ...(id === '' ? {} : { id }),
      ...(body['taggedaddresses'] === undefined ? {} : { taggedAddresses: textsIn(body, 'taggedaddresses') }),
      ...(body['nodemeta'] === undefined ? {} : { meta: textsIn(body, 'nodemeta') }),
    },
    skipNodeUpdate: flagIn(body, 'skipnodeupdate'),
    ...(instance === undefined ? {} : { instance }),
    checks: checks.map((check) => parseCatalogCheck(check, owner)),
  };
}

function instanceOf(given: Record<string, unknown> | undefined): InstanceRecord | undefined {
  if (given === undefined) return undefined;
  const fields = foldedObject(given, 'Service');
  const name = textIn(fields, 'service');
  if (name === '') throw internal('Must provide service name with ID');
  // The catalog's service says `Service` where the agent's says `Name`.
  return parseInstance({ ...fields, name });
}
