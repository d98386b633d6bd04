import type { FilterShape } from './shape.ts';

export function compileFilter(expression: string, shape: FilterShape): (row: unknown) => boolean {
  throw new Error(`filter expressions are not known to this version: ${expression.slice(0, 40)} ${typeof shape}`);
}
