import type { HttpApi } from './http-api.ts';

/**
 * The HTTP server with its framework and schemas: a third of the code an agent reads at its start, which can be read while the
 * store opens in its own thread.
 */
export async function loadHttpApi(): Promise<typeof HttpApi> {
  return (await import('./http-api.ts')).HttpApi;
}
