import { cliManualText } from './cli-manual.ts';
import { errorManual } from './error-manual.ts';
import { openApiText } from '../src/api/v2/index.ts';
import { configurationManual } from '../src/agent/config/manual.ts';
import { serviceFileManual, serviceFileSchemaText } from '../src/definition/index.ts';

/** One committed file that is written by a program: its path from the repository's root, and its text. */
export interface GeneratedFile {
  readonly path: string;
  text(): string;
}

/** Every generated file. `npm run generate` writes them; a unit test says which are behind. */
export const GENERATED_FILES: readonly GeneratedFile[] = [
  { path: 'docs/reference/service-file.md', text: serviceFileManual },
  { path: 'docs/reference/service-file.schema.json', text: serviceFileSchemaText },
  { path: 'docs/reference/configuration.md', text: configurationManual },
  { path: 'docs/reference/openapi.json', text: openApiText },
  { path: 'docs/reference/cli.md', text: cliManualText },
  { path: 'docs/reference/errors.md', text: errorManual },
];
