export { type OwnQuestion, toApiAnswer } from './own-question.ts';
export { V1 } from './serve-v1.ts';
export { sendText } from './send-answer.ts';
