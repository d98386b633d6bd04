import { nearest } from '../nearest.ts';
import { badFilter } from './errors.ts';
import type { FilterSelector } from './expression.ts';
import type { FilterFields, FilterShape } from './shape.ts';

/** One step from a row to a field of it: by name, to the value of a key, or into every element of a list. */
export type FieldStep = { readonly type: 'field' | 'key'; readonly name: string } | { readonly type: 'each' };

/** What a selector leads to. */
export interface Field {
  readonly steps: readonly FieldStep[];
  readonly shape: FilterShape;
}

/** Follows a selector. @throws LIB_BAD_FILTER naming it, and what may have been meant */
export function findField(selector: FilterSelector, root: FilterFields): Field {
  const steps: FieldStep[] = [];
  let shape: FilterShape = root;
  for (const name of selector.steps) {
    if (isList(shape)) {
      steps.push({ type: 'each' });
      shape = shape[0];
    }
    const inner = innerOf(shape, name);
    if (inner === undefined) throw unknownField(selector, shape, name);
    steps.push({ type: isFields(shape) ? 'field' : 'key', name });
    shape = inner;
  }
  return { steps, shape };
}

function innerOf(shape: FilterShape, name: string): FilterShape | undefined {
  if (shape === 'map') return 'text';
  if (isFields(shape)) return Object.hasOwn(shape, name) ? shape[name] : undefined;
  return isMap(shape) ? shape[1] : undefined;
}

function unknownField(selector: FilterSelector, shape: FilterShape, name: string): Error {
  const text = selector.text.slice(0, 80);
  const near = isFields(shape) ? nearest(name, Object.keys(shape)) : undefined;
  return badFilter(
    `Selector ${JSON.stringify(text)} is not valid${near === undefined ? '' : ` (did you mean ${near}?)`}`,
  );
}

export function isList(shape: FilterShape): shape is readonly [FilterFields] {
  return Array.isArray(shape) && shape.length === 1;
}

export function isMap(shape: FilterShape): shape is readonly ['map', FilterFields] {
  return Array.isArray(shape) && shape.length === 2;
}

function isFields(shape: FilterShape): shape is FilterFields {
  return typeof shape === 'object' && !Array.isArray(shape);
}
