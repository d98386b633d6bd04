import { compileMatch } from './compile-match.ts';
import type { FilterExpression } from './expression.ts';
import { parseFilter } from './parse-filter.ts';
import type { FilterFields } from './shape.ts';

/**
 * Makes a filter of an expression (consul-http-api 12; go-bexpr): what it says of a row whose fields are `shape`. The
 * time of a call is in proportion to the expression and the row, regular expressions included.
 *
 * @example
 * compileFilter('ServicePort == 80 and "v2" in ServiceTags', { ServicePort: 'number', ServiceTags: 'texts' });
 * @throws LIB_BAD_FILTER, LIB_BAD_PATTERN for what is no expression, speaks of no field, or asks of one what its kind cannot say
 */
export function compileFilter(expression: string, shape: FilterFields): (row: unknown) => boolean {
  return compiled(parseFilter(expression), shape);
}

function compiled(expression: FilterExpression, shape: FilterFields): (row: unknown) => boolean {
  if (expression.type === 'match') return compileMatch(expression, shape);
  if (expression.type === 'not') {
    const part = compiled(expression.part, shape);
    return (row) => !part(row);
  }
  const parts = expression.parts.map((part) => compiled(part, shape));
  return expression.type === 'or'
    ? (row) => parts.some((part) => part(row))
    : (row) => parts.every((part) => part(row));
}
