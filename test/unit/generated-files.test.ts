import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { GENERATED_FILES } from '../../scripts/generated-files.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

test.each(GENERATED_FILES.map((file) => [file.path, file] as const))(
  '%s is what its generator writes',
  (name, file) => {
    expect(readFileSync(path.join(ROOT, name), 'utf8'), 'run: npm run generate').toBe(file.text());
  },
);
