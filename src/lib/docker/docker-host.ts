import { dockerHostInvalid } from './errors.ts';

/** Where an engine listens. */
export type DockerHost = { readonly socketPath: string } | { readonly host: string; readonly port: number };

const DEFAULT_SOCKET = '/var/run/docker.sock';
const DEFAULT_PORT = 2375;

/**
 * The engine that an environment names with DOCKER_HOST: `unix:///path` or `tcp://host:port`; the local one when it names none.
 *
 * @throws DOCKER_HOST_INVALID, also for TLS (DOCKER_TLS_VERIFY) and ssh, which are not spoken
 */
export function dockerHostOf(environment: Readonly<Record<string, string | undefined>>): DockerHost {
  const text = environment['DOCKER_HOST'] ?? '';
  if (text === '') return { socketPath: DEFAULT_SOCKET };
  const socket = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (socket !== undefined) return { socketPath: socket };
  const address = /^tcp:\/\/(?:\[([\da-fA-F:.]+)\]|([^/:@\s]+))(?::(\d{1,5}))?\/?$/.exec(text);
  if (address === null) throw dockerHostInvalid(text);
  if ((environment['DOCKER_TLS_VERIFY'] ?? '') !== '') throw dockerHostInvalid(`${text} with DOCKER_TLS_VERIFY`);
  const [, v6, name = '', port = DEFAULT_PORT] = address;
  return { host: v6 ?? name, port: Number(port) };
}
