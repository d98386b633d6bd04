import { type DroverError, nearest } from '../lib/index.ts';
import { BUILTINS, builtinOf } from './builtin.ts';
import type { KeyPath } from './describe.ts';
import type { ServiceInput } from './schema.ts';
import { namesIn, parseTemplate } from './template.ts';
import { type Placed, invalidAt } from './validate.ts';

/** What is wrong between the keys of one service file, beyond the shape of each. */
export function consistencyProblems(
  document: Placed,
  input: ServiceInput,
): { errors: readonly DroverError[]; warnings: readonly string[] } {
  return {
    errors: [...unknownBuiltins(document, input), ...variablesSetTwice(document, input)],
    warnings: [...emptyRequirements(input), ...commandWithoutRunList(input)],
  };
}

/** `provides` may use what the system fills in and the service's own `environment`; never required names, so values cannot cycle. */
function unknownBuiltins(document: Placed, input: ServiceInput): DroverError[] {
  const own = Object.keys(input.environment ?? {});
  const known = [...BUILTINS, 'META.key', ...own];
  return Object.entries(input.provides ?? {}).flatMap(([variable, template]) =>
    namesIn(parseTemplate(template))
      .filter((name) => builtinOf(name) === undefined && !own.includes(name))
      .map((name) => {
        const near = nearest(name, known);
        const required = requiredVariables(input).some(({ variable: other }) => other === name);
        const why = required ? ': a provided value cannot use a required one' : near && `: did you mean "{${near}}"?`;
        return invalidAt(
          document,
          ['provides', variable],
          `unknown name "{${name}}"${why ?? ''}`,
          'value',
          `a provided value may use ${known.join(', ')}`,
        );
      }),
  );
}

interface RequiredVariable {
  readonly variable: string;
  readonly template: string;
  readonly path: KeyPath;
}

function requiredVariables(input: ServiceInput): RequiredVariable[] {
  const { requires } = input;
  if (requires === undefined) return [];
  const maps = Array.isArray(requires)
    ? requires.map((entry, index) => [entry, ['requires', index]] as const)
    : [[requires, ['requires']] as const];
  return maps.flatMap(([entry, path]) =>
    typeof entry === 'string'
      ? []
      : Object.entries(entry as Record<string, string>).map(([variable, template]) => ({
          variable,
          template,
          path: [...path, variable],
        })),
  );
}

function variablesSetTwice(document: Placed, input: ServiceInput): DroverError[] {
  const seen = new Map(Object.keys(input.environment ?? {}).map((name) => [name, '"environment"']));
  return requiredVariables(input).flatMap(({ variable, path }) => {
    const first = seen.get(variable);
    seen.set(variable, '"requires"');
    if (first === undefined) return [];
    return [invalidAt(document, path, `${variable} is set by ${first} too`, 'key', 'keep one of the two')];
  });
}

function emptyRequirements(input: ServiceInput): string[] {
  return requiredVariables(input)
    .filter(({ template }) => namesIn(parseTemplate(template)).length === 0)
    .map(({ variable, template }) => {
      const meant = /^[A-Za-z_]\w*$/.test(template) ? `: did you mean "{${template}}"?` : '';
      return `requires.${variable} of ${input.id} names nothing that it requires${meant}`;
    });
}

function commandWithoutRunList(input: ServiceInput): string[] {
  if (input.command !== true || (input.run_list ?? []).length > 0) return [];
  return [`${input.id} says "command": true, which means "by its run_list", and has no "run_list"`];
}
