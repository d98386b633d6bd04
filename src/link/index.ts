export * from './channel-pair.ts';
export * from './channel.ts';
export * from './errors.ts';
export * from './messages.ts';
export * from './node-link.ts';
export * from './region-links.ts';
export type { Answer, Ask, NodeQuestions, QuestionKind, RegionQuestions } from './questions.ts';
