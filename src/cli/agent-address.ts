import { badAddress, badToken } from './errors.ts';

const DEFAULT_ADDRESS = 'http://127.0.0.1:8500';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The agent's HTTP address: as given, else DROVER_HTTP_ADDR, else CONSUL_HTTP_ADDR, else that of an agent on this machine.
 *
 * @throws CLI_BAD_ADDRESS
 */
export function agentAddress(given: unknown, environment: Environment): string {
  const [from, text] = chosen([
    ['--http-addr', given],
    ['DROVER_HTTP_ADDR', environment['DROVER_HTTP_ADDR']],
    ['CONSUL_HTTP_ADDR', environment['CONSUL_HTTP_ADDR']],
  ]) ?? ['', DEFAULT_ADDRESS];
  const url = toUrl(from, /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (!/^https?:$/.test(url.protocol)) throw badAddress(from, `drover speaks http and https, not ${url.protocol}`);
  if (url.username !== '' || url.password !== '') {
    throw badAddress.with({ hint: 'put the token into DROVER_TOKEN' }, from, 'it holds a user or password');
  }
  return url.origin;
}

/** The token to show: DROVER_TOKEN, else CONSUL_HTTP_TOKEN. @throws CLI_BAD_TOKEN, without it */
export function agentToken(environment: Environment): string | undefined {
  const names = ['DROVER_TOKEN', 'CONSUL_HTTP_TOKEN'];
  const found = chosen(names.map((name) => [name, environment[name]]));
  if (found === undefined) return undefined;
  const [from, token] = found;
  if (!/^[\u0021-\u007E]+$/.test(token)) throw badToken(from);
  return token;
}

/** The first that is set; an empty variable counts as none. */
function chosen(candidates: readonly (readonly [string, unknown])[]): readonly [string, string] | undefined {
  return candidates.find((one): one is [string, string] => typeof one[1] === 'string' && one[1] !== '');
}

function toUrl(from: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw badAddress(from, 'it is no URL');
  return url;
}
