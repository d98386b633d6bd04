import type { ApiContext } from '../context.ts';
import { textIn } from '../fields.ts';
import { aclBody } from './acl-body.ts';
import { wireToken } from './acl-wire.ts';
import { changedAt, json, type V1Answer, type V1Request } from './exchange.ts';

/**
 * `PUT /v1/acl/bootstrap`: the first management token, for whoever asks first; again for whoever can write the data
 * directory of the server.
 */
export async function bootstrap({ acl }: ApiContext, request: V1Request): Promise<V1Answer> {
  const secret = textIn(aclBody(request, ['BootstrapSecret']), 'bootstrapsecret');
  const chosen = secret === '' ? undefined : secret;
  const { value, revision } = await acl.writes.bootstrap(chosen, () => acl.takeResetIndex());
  const token = wireToken(acl.state, value.token, value.secret);
  return { ...json({ ID: value.secret, ...token }), headers: changedAt(revision) };
}
