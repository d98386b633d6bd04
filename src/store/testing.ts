export * from './conformance.ts';
export * from './model.ts';
export { LeaderlessStore } from './testing-leaderless.ts';
