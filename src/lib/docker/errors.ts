import { defineError } from '../errors.ts';

export const dockerHostInvalid = defineError(
  'DOCKER_HOST_INVALID',
  400,
  (host: string) => `DOCKER_HOST ${JSON.stringify(host)} is neither unix:///path nor tcp://host:port`,
  { hint: 'DOCKER_HOST=unix:///var/run/docker.sock, or leave it out' },
);

/** The engine's own refusal: its status and its text, such as `No such container: web`. */
export const dockerRefused = defineError(
  'DOCKER_REFUSED',
  502,
  (status: number, text: string) => `Docker answers ${status}: ${text}`,
);

export const dockerAnswerUnreadable = defineError(
  'DOCKER_ANSWER_UNREADABLE',
  502,
  (why: string) => `Docker's answer cannot be read: ${why}`,
);
