import { z } from 'zod';
import { variableSchema } from '../../../definition/index.ts';
import { ANY_REGION, type DatastorePlace } from '../../../registry/index.ts';
import type { ApiContext } from '../../context.ts';
import { NO_BODY, secretBody } from '../body.ts';
import { unknownDatastore } from '../errors.ts';
import { flag, NONE } from '../parameters.ts';
import { type Need } from '../needs.ts';
import { route, type Route } from '../route.ts';
import { datastoreSchema, removedDatastoreSchema } from '../schemas.ts';
import { DEFAULT_FEDERATION, didYouMean, federationParameter, regionParameter } from '../scope.ts';

/** What stands for a value that was not asked for. */
const MASKED = '•••';
const MAX_VALUE_BYTES = 65_536;

const reveal = flag('Show values: they are secrets.');
const name = z.object({ name: variableSchema });
const place = z.strictObject({ federation: federationParameter, region: regionParameter });
const value = z
  .string({ error: 'expected text' })
  .refine((text) => !text.includes('\0'), { error: 'it holds a NUL byte, which no environment can hold' })
  .refine((text) => text.isWellFormed(), { error: 'it is not Unicode text: half a surrogate pair stands alone' })
  .refine((text) => Buffer.byteLength(text) <= MAX_VALUE_BYTES, { error: `expected at most ${MAX_VALUE_BYTES} bytes` })
  .describe(`Any text without NUL bytes, at most ${MAX_VALUE_BYTES} bytes.`);

/** To see that there is one is an operator's; its value, a secret, whoever may set it. */
function reading({ query }: { readonly query: { readonly reveal: boolean } }): Need[] {
  return [['operator', '', query.reveal ? 'write' : 'read']];
}

const list = route({
  method: 'GET',
  path: '/v2/datastores',
  needs: reading,
  summary: 'Every datastore; values only when revealed.',
  params: NONE,
  query: z.strictObject({ reveal }),
  headers: NONE,
  body: NO_BODY,
  answer: z.array(datastoreSchema),
  handle: ({ query }, { catalog }) => ({
    body: catalog.datastores().map((one) => sayDatastore(one, query.reveal)),
  }),
});

const show = route({
  method: 'GET',
  path: '/v2/datastores/{name}',
  needs: reading,
  summary: 'The value of a datastore for exactly this region; masked unless revealed.',
  params: name,
  query: place.extend({ reveal }),
  headers: NONE,
  body: NO_BODY,
  answer: datastoreSchema,
  handle({ params, query: { reveal: isRevealed, ...query } }, context) {
    return { body: sayDatastore(findDatastore(context, placeOf(params.name, query)), isRevealed) };
  },
});

const put = route({
  method: 'PUT',
  path: '/v2/datastores/{name}',
  needs: ['operator', '', 'write'],
  summary: 'Sets the value of a datastore: who requires it gets the new one and is provisioned.',
  params: name,
  query: place,
  headers: NONE,
  body: secretBody(z.strictObject({ value }), '{"value": "…"}'),
  answer: datastoreSchema,
  changes: true,
  async handle({ params, query, body, caller: { author } }, { registry }) {
    const { federation, region } = placeOf(params.name, query);
    const revision = await registry.setDatastore(federation, region, params.name, body.value, { author });
    return { revision, body: { name: params.name, federation, region, value: MASKED } };
  },
});

const remove = route({
  method: 'DELETE',
  path: '/v2/datastores/{name}',
  needs: ['operator', '', 'write'],
  summary: 'Removes the value of exactly this region; who requires it keeps its last environment file.',
  params: name,
  query: place,
  headers: NONE,
  body: NO_BODY,
  answer: removedDatastoreSchema,
  changes: true,
  async handle({ params, query, caller: { author } }, context) {
    const { federation, region, record } = findDatastore(context, placeOf(params.name, query));
    const revision = await context.registry.removeDatastore(federation, region, record.name, { author });
    return { revision, body: { name: record.name, federation, region } };
  },
});

/** Attached services by name (P4). */
export const datastoreRoutes: readonly Route[] = [list, show, put, remove];

type StoredDatastore = ReturnType<ApiContext['catalog']['datastores']>[number];

function placeOf(
  name: string,
  query: { readonly federation?: string | undefined; readonly region: string },
): DatastorePlace {
  return { name, federation: query.federation ?? DEFAULT_FEDERATION, region: query.region };
}

function sayDatastore({ record, federation, region }: StoredDatastore, isRevealed: boolean) {
  return { name: record.name, federation, region, value: isRevealed ? record.value : MASKED };
}

function findDatastore({ catalog }: ApiContext, { name, federation, region }: DatastorePlace): StoredDatastore {
  const all = catalog.datastores().filter((one) => one.federation === federation);
  const found = all.find((one) => one.record.name === name && one.region === region);
  if (found !== undefined) return found;
  const regions = all.filter((one) => one.record.name === name).map((one) => one.region);
  const names = all.map((one) => one.record.name);
  const hint =
    regions.length > 0
      ? `it has a value for ${regions.map((one) => (one === ANY_REGION ? 'every region (-)' : one)).join(', ')}`
      : didYouMean(name, names, 'datastore:list shows them all');
  throw unknownDatastore.with({ hint }, federation, region, name);
}
