import { z } from 'zod';
import type { Route } from './route.ts';
import { COMPONENTS, errorSchema } from './schemas.ts';

/** The version of the interface, which is not that of the program. */
const API_VERSION = '2';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of a table of routes. Pure. */
export function openApiDocument(routes: readonly Route[]): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const item = (paths[route.path] ??= {});
    item[route.method.toLowerCase()] = operationOf(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'drover',
      version: API_VERSION,
      summary: 'drover’s own HTTP API; Consul’s is under /v1.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8500', description: 'An agent on this machine.' }],
    paths,
    components: { schemas: schemas.named() },
  };
}

function operationOf(route: Route, schemas: Schemas): Json {
  return {
    operationId: operationId(route),
    tags: [route.path.split('/')[2] ?? ''],
    summary: route.summary,
    parameters: [
      ...parametersOf(route.params, 'path', schemas),
      ...parametersOf(route.query, 'query', schemas),
      ...parametersOf(route.headers, 'header', schemas),
    ],
    ...(route.bodySchema === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemas.ofInput(route.bodySchema) } },
          },
        }),
    responses: { '200': answerOf(route, schemas), default: failure(schemas) },
  };
}

/** `GET /v2/services/{id}` is `getServicesById`. */
function operationId({ method, path }: Route): string {
  const words = path.split('/').slice(2);
  const camel = words.map((word) => {
    const name = word.replace(/\W+/g, ' ').trim().split(' ').map(capital).join('');
    return word.startsWith('{') ? `By${name}` : name;
  });
  return method.toLowerCase() + camel.join('');
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function parametersOf(schema: z.ZodObject, where: 'path' | 'query' | 'header', schemas: Schemas): Json[] {
  const { properties = {}, required = [] } = schemas.ofInput(schema) as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name: where === 'header' ? headerName(name) : name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    // A flag may stand without a value: ?reveal
    ...(where === 'query' && rest['type'] === 'boolean' ? { allowEmptyValue: true } : {}),
    schema: rest,
  }));
}

function headerName(name: string): string {
  return name.split('-').map(capital).join('-').replace(/-Id$/, '-ID');
}

function answerOf({ answer, changes, streams }: Route, schemas: Schemas): Json {
  const revision = {
    description: 'The revision at which the change is in the region.',
    schema: { type: 'integer' },
  };
  return {
    description: streams ? 'Events: `data` is JSON of this form.' : 'Done.',
    ...(changes ? { headers: { 'X-Drover-Revision': revision } } : {}),
    content: { [streams ? 'text/event-stream' : 'application/json']: { schema: schemas.of(answer) } },
  };
}

function failure(schemas: Schemas): Json {
  return {
    description: 'What is wrong and how to mend it.',
    content: { 'application/json': { schema: schemas.of(errorSchema) } },
  };
}

/** JSON Schemas of a document; those in COMPONENTS are named and referred to. */
class Schemas {
  readonly #names = z.registry<{ id: string }>();
  readonly #named = new Map<string, Json>();

  constructor() {
    for (const [id, schema] of Object.entries(COMPONENTS)) {
      this.#names.add(schema, { id });
    }
  }

  /** Of what goes out. */
  of(schema: z.ZodType): Json {
    return this.#make(schema, 'output');
  }

  /** Of what comes in, before defaults are filled in. */
  ofInput(schema: z.ZodType): Json {
    return this.#make(schema, 'input');
  }

  named(): Json {
    return Object.fromEntries([...this.#named].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #make(schema: z.ZodType, io: 'input' | 'output'): Json {
    const made = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      metadata: this.#names,
      override: ({ zodSchema, jsonSchema }) => describe(zodSchema as unknown as z.ZodType, jsonSchema, io),
    });
    const { $schema: _dialect, $defs = {}, ...json } = hoisted(made);
    for (const [id, one] of Object.entries($defs as Record<string, Json>)) this.#named.set(id, one);
    return json;
  }
}

/** What schemas say of themselves stands in zod's own registry, which that of the names takes the place of. */
function describe(schema: z.ZodType, json: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  Object.assign(json, z.globalRegistry.get(schema));
  // Answers may grow: whoever reads them has to pass over what it does not know.
  if (io === 'output' && json.additionalProperties === false) delete json.additionalProperties;
  if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum;
  if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum;
}

function hoisted(schema: object): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}
