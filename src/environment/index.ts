export * from './environment-files.ts';
export * from './errors.ts';
export { fileNameOf } from './plan-files.ts';
export * from './render.ts';
export * from './resolved.ts';
export * from './run-with-environment.ts';
