import { defineError } from '../lib/index.ts';

/** On `/v1` the message is the whole body, so it is Consul's own text. */
export const badRequest = defineError('API_BAD_REQUEST', 400, (text: string) => text);
export const notFound = defineError('API_NOT_FOUND', 404, (text: string) => text);
export const unauthorized = defineError('API_UNAUTHORIZED', 401, (text: string) => text);
export const internal = defineError('API_INTERNAL', 500, (text: string) => text);
export const httpPortTaken = defineError(
  'API_PORT_TAKEN',
  409,
  (address: string, port: number, holder: string) =>
    `cannot answer HTTP on ${address}:${port}: it is held by ${holder}`,
  { hint: 'stop that program, or take another port with --http-port' },
);
export const httpSocketTaken = defineError(
  'API_SOCKET_TAKEN',
  409,
  (path: string, why: string) => `cannot answer HTTP at ${path}: ${why}`,
  { hint: 'stop that program or remove the file, or name another path in addresses.http' },
);
export const noServers = defineError('API_NO_SERVERS', 503, () => 'No known Consul servers', {
  hint: 'this agent goes on trying; drover doctor says to which server it was linked and since when it is cut off',
});
export const serverLost = defineError(
  'API_SERVER_LOST',
  503,
  () => 'rpc error making call: the server was lost before it answered; whether it did what it was told is not known',
  { hint: 'look at what is there before you ask for it again' },
);
export const upgradeRefused = defineError('API_UPGRADE_REFUSED', 403, (why: string) => why);
