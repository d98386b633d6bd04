export * from './conformance.ts';
export * from './model.ts';
