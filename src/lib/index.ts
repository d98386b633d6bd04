export * from './canonical.ts';
export * from './clock.ts';
export * from './duration.ts';
export * from './errors.ts';
export * from './format-error.ts';
export * from './nearest.ts';
export * from './timing.ts';
