export { badHcl } from './errors.ts';
export { hclToJson } from './hcl-to-json.ts';
export { parseHcl } from './parse-hcl.ts';
export { type HclBody, type HclItem, type HclPlace, type HclValue, isHclBody } from './value.ts';
