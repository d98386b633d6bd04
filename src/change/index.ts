export * from './consumer.ts';
export * from './receipt.ts';
