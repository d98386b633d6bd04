import { z } from 'zod';
import { NAMED, SCALAR, selectorOf, type Explained, type Resource } from '../../../access/index.ts';
import type { ApiContext } from '../../context.ts';
import { unauthorized } from '../../errors.ts';
import { NO_BODY } from '../body.ts';
import type { Need } from '../needs.ts';
import { NONE } from '../parameters.ts';
import { route, type Route } from '../route.ts';
import { whySchema } from '../schemas.ts';

const RESOURCES = [...NAMED, ...SCALAR] as [Resource, ...Resource[]];
const LEVELS = ['read', 'list', 'write'] as const;
const OWN = 'self';

const query = z.strictObject({
  token: z.string().min(1).describe('AccessorID of a token, or self: the one that asks.').default(OWN),
  resource: z.enum(RESOURCES, { error: `expected ${RESOURCES.join(', ')}` }).describe('What it is about.'),
  name: z.string().describe('Which one; empty for resources without names.').default(''),
  level: z.enum(LEVELS, { error: `expected ${LEVELS.join(', ')}` }).describe('What somebody wants to do.'),
});

interface Asking {
  readonly query: { readonly token: string };
  readonly caller: { readonly authority: { readonly accessor: string } };
}

/** Of one's own token anybody may know what it may. */
function needsOf({ query: { token }, caller: { authority } }: Asking, { access }: ApiContext): Need[] {
  const isOwn = token === OWN || token === authority.accessor;
  return isOwn || !access.isEnabled ? [] : [['acl', '', 'read']];
}

const why = route({
  method: 'GET',
  path: '/v2/access/why',
  summary: 'Whether a token may do something, and which rule of which policy decides.',
  needs: needsOf,
  params: NONE,
  query,
  headers: NONE,
  body: NO_BODY,
  answer: whySchema,
  handle({ query: { token, resource, name, level }, caller: { authority } }, { access, acl }) {
    if (!access.isEnabled) throw unauthorized.with({ hint: 'switch it on: acl.enabled' }, 'ACL support disabled');
    const accessor = token === OWN ? authority.accessor : token;
    return { body: sayWhy(acl.access.explain(accessor, resource, name, level), access.defaultPolicy) };
  },
});

/** Who may what (C5). */
export const accessRoutes: readonly Route[] = [why];

function sayWhy({ accessor, allowed, isManagement, rule }: Explained, defaultPolicy: 'allow' | 'deny') {
  const place = rule?.source.place;
  return {
    accessor,
    allowed,
    management: isManagement,
    defaultPolicy,
    rule:
      rule === null
        ? null
        : {
            selector: selectorOf(rule),
            policy: rule.level,
            from: rule.source.from,
            ...(place === null || place === undefined ? {} : { line: place.line ?? 0, column: place.column ?? 0 }),
          },
  };
}
