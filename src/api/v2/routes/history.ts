import { z } from 'zod';
import { planUndo } from '../../../change/index.ts';
import type { CatalogNode } from '../../../registry/index.ts';
import { jsonBody, NO_BODY } from '../body.ts';
import { unknownCheck } from '../errors.ts';
import { mayUndo, maySee, sayChange, saySubject, subjectOf } from '../history-wire.ts';
import { NONE, wholeNumber } from '../parameters.ts';
import { route, type Route } from '../route.ts';
import { checkTransitionSchema, historyItemSchema, undoneSchema } from '../schemas.ts';
import { didYouMean } from '../scope.ts';
import { undo } from '../undo.ts';

const MOST = 1_000;
const KINDS = ['kv', 'def', 'ds', 'acl'] as const;
const kind = z.enum(KINDS, { error: `expected ${KINDS.join(', ')}` });
const NAMED = 'needs a kind';

const NUMBER = /^\d{1,15}$/;
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

const since = z
  .string()
  .refine((text) => NUMBER.test(text) || (TIME.test(text) && Number.isFinite(Date.parse(text))), {
    error: 'expected a revision, or a time such as 2026-01-01T00:00:00Z',
  })
  .transform((text) => (NUMBER.test(text) ? Number(text) : text))
  .meta({ type: 'string', description: 'Only later changes: after a revision, or since a time (ISO 8601).' })
  .optional();

const list = route({
  method: 'GET',
  path: '/v2/history',
  needs: 'by row',
  summary: 'Who changed what, when, and what it was before and after; newest first. Values of datastores stay hidden.',
  params: NONE,
  query: z
    .strictObject({
      kind: kind
        .describe('kv (recursive deletes among them), def (definitions), ds (datastores) or acl; default all.')
        .optional(),
      subject: z
        .string()
        .describe('Only this: a key; a definition or datastore as `default/api` and `default/-/DB`, or just its name.')
        .optional(),
      prefix: z.string().describe('Only what begins so.').optional(),
      since,
      limit: wholeNumber('How many at most; default 50.', { least: 1, most: MOST }).default(50),
    })
    .refine((query) => query.kind !== undefined || query.subject === undefined, { path: ['subject'], error: NAMED })
    .refine((query) => query.kind !== undefined || query.prefix === undefined, { path: ['prefix'], error: NAMED }),
  headers: NONE,
  body: NO_BODY,
  answer: z.array(historyItemSchema),
  async handle({ query, caller: { authority } }, { access, history }) {
    const { kind: of, subject, prefix } = query;
    const level = access.keyListPolicy === true && subject === undefined ? 'list' : 'read';
    const items = await history.list({
      ...query,
      subject: of === undefined || subject === undefined ? undefined : subjectOf(of, subject),
      prefix: of === undefined || prefix === undefined ? undefined : prefixOf(of, prefix),
      sees: (change) => maySee(authority, change, level),
    });
    return { body: items.map(sayChange) };
  },
});

/** A key's prefix as bytes; that of others as it is written. */
function prefixOf(of: (typeof KINDS)[number], text: string): string {
  return of === 'kv' ? subjectOf(of, text) : text;
}

const undoOne = route({
  method: 'POST',
  path: '/v2/history/undo',
  needs: 'by row',
  summary: 'Puts back what was before a change, unless somebody has changed it since; of a recursive delete all keys.',
  params: NONE,
  query: NONE,
  headers: NONE,
  body: jsonBody(
    z.strictObject({
      revision: z.int().min(1).describe('Of the change.'),
      kind: kind.describe('What it changed; datastores only where they were new, and no acl.'),
      subject: z.string().describe('Default: all that the revision changed of the kind.').optional(),
      force: z.boolean().describe('Also over what was changed since.').default(false),
    }),
    '{"revision": 57, "kind": "kv"}',
  ),
  answer: undoneSchema,
  changes: true,
  async handle({ body, caller }, context) {
    const { kind: of, subject } = body;
    const plan = await planUndo(context.history, {
      ...body,
      subject: subject === undefined ? undefined : subjectOf(of, subject),
      vet: (changed) => mayUndo(caller.authority, changed),
    });
    const revision = await undo(context, plan.steps, { author: caller.author });
    return { revision, body: { undone: plan.steps.map(saySubject), lost: plan.lost } };
  },
});

const checkHistory = route({
  method: 'GET',
  path: '/v2/nodes/{node}/checks/{check}/history',
  needs({ params: { node, check } }, { catalog }) {
    const service = serviceOf(catalog.node(node), check);
    return [['node', node, 'read'], ...(service === undefined ? [] : [['service', service, 'read'] as const])];
  },
  summary: 'The last fifty transitions of a check with their output, newest first; they outlive restarts.',
  params: z.object({ node: z.string(), check: z.string() }),
  query: NONE,
  headers: NONE,
  body: NO_BODY,
  answer: z.array(checkTransitionSchema),
  async handle({ params: { node, check } }, { catalog, checkHistory: transitions }) {
    const found = await transitions.of(node, check);
    if (found.length === 0) {
      const ids = checkIds(catalog.node(node));
      if (!ids.includes(check)) {
        throw unknownCheck.with({ hint: didYouMean(check, ids, `drover node:show ${node}`) }, node, check);
      }
    }
    return { body: found };
  },
});

/** The service that a check belongs to; undefined for one of the node, and for one that is gone. */
function serviceOf(node: CatalogNode | undefined, check: string): string | undefined {
  const instances = node === undefined ? [] : [...node.instances.values()];
  return instances.find((one) => one.checks.has(check))?.record.service;
}

function checkIds(node: CatalogNode | undefined): string[] {
  if (node === undefined) return [];
  return [...node.checks.keys(), ...[...node.instances.values()].flatMap((one) => [...one.checks.keys()])];
}

/** Who changed what, and back (issue 3, item 7). */
export const historyRoutes: readonly Route[] = [list, undoOne, checkHistory];
