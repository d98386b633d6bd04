export { compileFilter } from './compile-filter.ts';
export { badFilter } from './errors.ts';
export type { FilterFields, FilterShape } from './shape.ts';
