export { compileFilter } from './compile-filter.ts';
export type { FilterFields, FilterShape } from './shape.ts';
