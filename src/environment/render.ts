import type { ServiceEnvironment, Variable } from '../registry/index.ts';
import { badVariableName, notInDotenv, nulInValue } from './errors.ts';

export type EnvironmentFormat = 'shell' | 'dotenv' | 'json';

export interface RenderOptions {
  /** Print secrets; otherwise each is a comment line (left out of JSON). */
  readonly reveal: boolean;
}

type Known = Variable & { readonly value: string };

/**
 * The text of a service's environment, ending in a newline. Variables without a value are left out: whether that is an
 * error is decided by `unresolvedOf`. Throws ENVIRONMENT_BAD_NAME, ENVIRONMENT_NUL, ENVIRONMENT_NOT_IN_DOTENV.
 */
export function renderEnvironment(
  environment: ServiceEnvironment,
  format: EnvironmentFormat,
  options: RenderOptions,
): string {
  const known = knownVariables(environment);
  if (format === 'json') return renderJson(known, options);
  const line = format === 'shell' ? shellLine : dotenvLine;
  return known
    .map((variable) => (hidden(variable, options) ? secretLine(variable) : line(environment.service, variable)))
    .map((text) => `${text}\n`)
    .join('');
}

/** The variables as a process gets them. Throws ENVIRONMENT_BAD_NAME, ENVIRONMENT_NUL. */
export function processEnvironment(environment: ServiceEnvironment): Record<string, string> {
  return Object.fromEntries(knownVariables(environment).map(({ name, value }) => [name, value]));
}

function knownVariables({ service, variables }: ServiceEnvironment): readonly Known[] {
  for (const { name, value } of variables) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw badVariableName(service, name);
    if (value?.includes('\0')) throw nulInValue(service, name);
  }
  return variables.filter((variable): variable is Known => variable.value !== null);
}

function hidden(variable: Variable, options: RenderOptions): boolean {
  return variable.secret && !options.reveal;
}

function secretLine({ name }: Variable): string {
  return `# ${name} is secret: --reveal prints it`;
}

function shellLine(_service: string, { name, value }: Known): string {
  return `export ${name}=${quoteForShell(value)}`;
}

/** One shell word that stands for exactly this text: inside single quotes only the single quote itself is special. */
export function quoteForShell(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * There is no standard of dotenv: single quotes, which hold everything but themselves, are read alike by all; for values
 * with a single quote it is what Node's `--env-file` and npm's dotenv read back.
 */
function dotenvLine(service: string, { name, value }: Known): string {
  const quote = ["'", '"', '`'].find((mark) => !value.includes(mark) && (mark !== '"' || !value.includes('\\')));
  if (quote === undefined) throw notInDotenv(service, name);
  return `${name}=${quote}${value}${quote}`;
}

function renderJson(known: readonly Known[], options: RenderOptions): string {
  const shown = known.filter((variable) => !hidden(variable, options));
  return `${JSON.stringify(Object.fromEntries(shown.map(({ name, value }) => [name, value])), null, 2)}\n`;
}
