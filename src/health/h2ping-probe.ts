import type { ClientHttp2Session } from 'node:http2';
import type { CheckDefinition } from '../definition/index.ts';
import type { Clock } from '../lib/index.ts';
import { askInSession } from './http2-session.ts';
import { splitHostPort } from './target.ts';
import type { Probe, Verdict } from './verdict.ts';

/** A probe that passes when an HTTP/2 PING (RFC 9113 6.7) is answered; over TLS unless told otherwise. */
export function h2pingProbe(definition: CheckDefinition, { clock }: { readonly clock: Clock }): Probe {
  const { h2ping = '', h2pingUseTls = true } = definition;
  const target = splitHostPort(h2ping);
  return async (signal) => {
    if (target === null) return { status: null, output: '' };
    const options = { target, tls: h2pingUseTls, definition, clock, signal };
    const verdict = await askInSession(options, ping);
    return { ...verdict, output: `HTTP2 ping ${h2ping}: ${verdict.output}` };
  };
}

function ping(session: ClientHttp2Session): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    session.ping((error: Error | null) => {
      if (error === null) resolve({ status: 'passing', output: 'Success' });
      else reject(error);
    });
  });
}
