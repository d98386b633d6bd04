export * from './catalog-reader.ts';
export * from './feed.ts';
export * from './keys.ts';
export * from './node-view.ts';
export * from './records.ts';
export * from './transition.ts';
