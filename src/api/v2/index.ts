export { registerV2 } from './register.ts';
export { openApiText } from './routes.ts';
export { isV2, refuseV2, refuseWithoutRegion } from './send-error.ts';
