import type { FastifyReply } from 'fastify';
import { DroverError, messageOf } from '../../lib/index.ts';
import { badRequest } from '../errors.ts';
import { BODY_LIMIT } from './body.ts';
import { badRequestLine, bodyTooLarge, foreignRequest, noRegion, unexpected, wrongContentType } from './errors.ts';

/** Any failure as an error of drover's, fastify's own included; what nobody expected says nothing of the inside. */
export function toDroverError(thrown: unknown, contentType = ''): DroverError {
  if (thrown instanceof DroverError) return thrown;
  const { code, statusCode = 500 } = thrown as { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge(BODY_LIMIT);
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return wrongContentType(contentType);
  if (statusCode >= 500) return unexpected.with({ cause: thrown });
  return badRequest.with({ hint: '/v2/openapi.json describes what is taken', cause: thrown }, messageOf(thrown));
}

/** Answers with `{"error": {…}}`. */
export function sendError(reply: FastifyReply, error: DroverError): FastifyReply {
  return reply
    .code(error.status)
    .header('Cache-Control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ error: error.toJSON() }));
}

/** Whether a request's URL is one of `/v2`. */
export function isV2(url: string): boolean {
  return /^\/v2(?:[/?]|$)/.test(url);
}

/** Refuses a request before it came to a route: 400 for a path that cannot be read, 403 for a foreign Host or Origin. */
export function refuseV2(reply: FastifyReply, status: 400 | 403, text: string): FastifyReply {
  return sendError(reply, status === 403 ? foreignRequest(text) : badRequestLine(text));
}

/** What an agent without a region answers for itself. */
const LOCAL = /^\/v2\/(?:status|listener|provisions|balancer|openapi\.json)(?:[/?]|$)/;

/** Refuses, where there is no region, what is about it; false for what an agent answers for itself. */
export function refuseWithoutRegion(url: string, reply: FastifyReply): boolean {
  if (!isV2(url) || LOCAL.test(url)) return false;
  void sendError(reply, noRegion());
  return true;
}
