export * from './channel.ts';
export * from './messages.ts';
