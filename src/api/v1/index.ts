export { registerV1 } from './register.ts';
