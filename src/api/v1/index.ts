export { V1 } from './serve-v1.ts';
