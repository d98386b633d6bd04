import { expect, test } from 'vitest';
import { openApiText, v2Routes } from './routes.ts';
import { startTestApi } from './testing.ts';

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Json;
  }[];
  readonly requestBody?: { readonly content: Record<string, Json> };
  readonly responses: Record<string, { readonly content: Record<string, Json>; readonly headers?: Json }>;
}

const document = JSON.parse(openApiText()) as {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Json> };
};
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

test('openApiDocument() describes every route once', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`).toSorted()).toEqual(
    v2Routes()
      .map(({ method, path }) => `${method} ${path}`)
      .toSorted(),
  );
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('openApiDocument() refers only to schemas that it has', () => {
  const references = [...openApiText().matchAll(/"\$ref": "([^"]*)"/g)].map(([, target]) => target as string);
  expect(references.length).toBeGreaterThan(20);
  for (const target of references) {
    expect(target).toMatch(/^#\/components\/schemas\/\w+$/);
    expect(document.components.schemas).toHaveProperty(target.split('/').at(-1) as string);
  }
  expect(openApiText()).not.toContain('$defs');
});

test.each(operations.map(({ method, path, operation }) => [method, path, operation] as const))(
  'openApiDocument() describes %s %s in whole',
  (_method, path, operation) => {
    expect(operation.summary).toMatch(/^[A-Z].*\.$/s);
    const inPath = operation.parameters.filter((one) => one.in === 'path');
    expect(inPath.map((one) => `{${one.name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    expect(inPath.every((one) => one.required)).toBe(true);
    for (const { schema } of operation.parameters) expect(Object.keys(schema)).not.toEqual([]);
    expect(Object.keys(operation.responses)).toEqual(['200', 'default']);
    for (const { content } of Object.values(operation.responses)) expect(Object.values(content)).toHaveLength(1);
  },
);

test('openApiDocument() says which answers carry the revision', () => {
  const carrying = operations.filter(({ operation }) => operation.responses['200']?.headers !== undefined);
  const expected = operations.filter(({ method }) => method !== 'get');
  expect(carrying.map((one) => one.operation.operationId)).toEqual(expected.map((one) => one.operation.operationId));
});

test('openApiDocument() lets answers grow, and bodies not', () => {
  expect(document.components.schemas['Service']).not.toHaveProperty('additionalProperties');
  expect(document.components.schemas['ServiceFile']).toHaveProperty('additionalProperties', false);
});

test('GET /v2/openapi.json is the committed document', async () => {
  await using api = await startTestApi();
  expect((await api.ask('GET', '/v2/openapi.json')).body).toEqual(document);
});
