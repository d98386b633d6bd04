import { z } from 'zod';
import {
  checkSet,
  collectProblems,
  serviceIdSchema,
  throwAll,
  toServiceDocument,
  type Definition,
  type SetReport,
} from '../../../definition/index.ts';
import type { Caller } from '../../caller.ts';
import type { ApiContext } from '../../context.ts';
import { definitionBody, definitionsBody, NO_BODY, type DefinitionDocument } from '../body.ts';
import { badBody, unknownDefinition } from '../errors.ts';
import { flag, NONE } from '../parameters.ts';
import { route, type Reply, type Route } from '../route.ts';
import { appliedSchema, documentSchema, removedDefinitionSchema } from '../schemas.ts';
import { DEFAULT_FEDERATION, didYouMean, federationParameter } from '../scope.ts';
import { serviceOverviews } from '../service-overview.ts';

const dryRun = flag('Only say what would be refused or warned of.');
const id = z.object({ id: serviceIdSchema });
const inFederation = z.strictObject({ federation: federationParameter });

const list = route({
  method: 'GET',
  path: '/v2/definitions',
  needs: 'by row',
  summary: 'Every definition, in the form of a service file.',
  params: NONE,
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: z.array(documentSchema),
  handle({ caller: { authority } }, { catalog }) {
    const seen = catalog.definitions().filter(({ record }) => authority.allows('service', record.id, 'read'));
    return { body: seen.map(({ record }) => toServiceDocument(record)) };
  },
});

const applyAll = route({
  method: 'PUT',
  path: '/v2/definitions',
  needs: 'by row',
  summary: 'Applies definitions, all of them or none.',
  params: NONE,
  query: z.strictObject({ dryRun }),
  headers: NONE,
  body: definitionsBody,
  answer: appliedSchema,
  changes: true,
  handle: ({ body, query, caller }, context) => apply(context, body, { isDryRun: query.dryRun, caller }),
});

const show = route({
  method: 'GET',
  path: '/v2/definitions/{id}',
  needs: ({ params }) => [['service', params.id, 'read']],
  summary: 'One definition, in the form of a service file.',
  params: id,
  query: inFederation,
  headers: NONE,
  body: NO_BODY,
  answer: documentSchema,
  handle: ({ params, query }, context) => ({
    body: toServiceDocument(findDefinition(context, params.id, query.federation)),
  }),
});

const applyOne = route({
  method: 'PUT',
  path: '/v2/definitions/{id}',
  needs: ({ params }) => [['service', params.id, 'write']],
  summary: 'Applies one definition, whose id is that of the path.',
  params: id,
  query: inFederation.extend({ dryRun }),
  headers: NONE,
  body: definitionBody,
  answer: appliedSchema,
  changes: true,
  handle: ({ body, params, query, caller }, context) =>
    apply(context, [bound(body, params.id, query.federation)], { isDryRun: query.dryRun, caller }),
});

const remove = route({
  method: 'DELETE',
  path: '/v2/definitions/{id}',
  needs: ({ params }) => [['service', params.id, 'write']],
  summary: 'Removes a definition; its instances stay registered.',
  params: id,
  query: inFederation,
  headers: NONE,
  body: NO_BODY,
  answer: removedDefinitionSchema,
  changes: true,
  async handle({ params, query, caller: { author } }, context) {
    const { federation } = findDefinition(context, params.id, query.federation);
    const { requiredBy = [] } =
      serviceOverviews(context.catalog).find((one) => one.id === params.id && one.federation === federation) ?? {};
    const revision = await context.registry.removeDefinition(federation, params.id, { author });
    return { revision, body: { id: params.id, federation, requiredBy: requiredBy.filter((one) => one !== params.id) } };
  },
});

/** What services need, offer and are checked by (P1). */
export const definitionRoutes: readonly Route[] = [list, applyAll, show, applyOne, remove];

async function apply(
  context: ApiContext,
  documents: readonly DefinitionDocument[],
  { isDryRun, caller }: { readonly isDryRun: boolean; readonly caller: Caller },
): Promise<Reply<z.output<typeof appliedSchema>>> {
  const parsed = collectProblems(documents, (document) => document.parse());
  const definitions = parsed.map(({ definition }) => definition);
  for (const { id: service } of definitions) caller.authority.demand('service', service, 'write');
  refuseTwice(definitions);
  const report = reportOf(context, definitions);
  if (report.errors.length > 0) throwAll(report.errors);
  const body = {
    applied: definitions.map((one) => one.id),
    warnings: [...parsed.flatMap((one) => one.warnings), ...report.warnings],
    notes: report.notes,
  };
  if (isDryRun) return { body };
  return { body, revision: await context.registry.putDefinitions(definitions, { author: caller.author }) };
}

function reportOf({ catalog }: ApiContext, applied: readonly Definition[]): SetReport {
  const existing = catalog.definitions().map((stored) => stored.record);
  const datastores = catalog.datastores().map(({ federation, record }) => ({ federation, name: record.name }));
  return checkSet({ existing, applied, datastores });
}

function refuseTwice(definitions: readonly Definition[]): void {
  const seen = new Set<string>();
  for (const { federation, id } of definitions) {
    const key = `${federation}/${id}`;
    if (seen.has(key))
      throw badBody.with({ hint: 'leave one of them out' }, `"${id}" of federation "${federation}" is given twice`);
    seen.add(key);
  }
}

/** The document of one path: the id is that of the path, and the federation that of the query where the document names none. */
function bound(document: DefinitionDocument, id: string, federation: string | undefined): DefinitionDocument {
  const parse: DefinitionDocument['parse'] = () => {
    const { definition, warnings } = document.parse();
    if (definition.id !== id)
      throw badBody.with(
        { hint: 'make the two the same' },
        `the body defines "${definition.id}", the path says "${id}"`,
      );
    if (federation === undefined || definition.federation === federation) return { definition, warnings };
    if (document.federation === undefined) return { definition: { ...definition, federation }, warnings };
    const text = `the body says federation "${definition.federation}", the query "${federation}"`;
    throw badBody.with({ hint: 'make the two the same, or name it once' }, text);
  };
  return { ...document, parse };
}

function findDefinition({ catalog }: ApiContext, id: string, federation: string = DEFAULT_FEDERATION): Definition {
  const found = catalog.definition(federation, id);
  if (found !== undefined) return found.record;
  const all = catalog.definitions().map((stored) => stored.record);
  const elsewhere = all.filter((one) => one.id === id).map((one) => one.federation);
  const ids = all.filter((one) => one.federation === federation).map((one) => one.id);
  const hint =
    elsewhere.length > 0
      ? `it is in federation ${elsewhere.join(', ')}: name that one`
      : didYouMean(id, ids, 'service:list shows what is defined');
  throw unknownDefinition.with({ hint }, federation, id);
}
