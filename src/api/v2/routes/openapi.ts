import { z } from 'zod';
import { NO_BODY } from '../body.ts';
import { openApiDocument } from '../openapi.ts';
import { NONE } from '../parameters.ts';
import { route, type Route } from '../route.ts';

/** The description of the given routes and of itself, made when first asked for. */
export function openApiRoute(others: readonly Route[]): Route {
  let made: Record<string, unknown> | undefined;
  const own: Route = route({
    method: 'GET',
    path: '/v2/openapi.json',
    needs: 'nothing',
    summary: 'This description, in OpenAPI 3.1.',
    params: NONE,
    query: NONE,
    headers: NONE,
    body: NO_BODY,
    answer: z.record(z.string(), z.unknown()),
    handle: () => ({ body: (made ??= openApiDocument([...others, own])) }),
  });
  return own;
}
