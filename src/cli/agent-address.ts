import { readFileSync } from 'node:fs';
import { badAddress, badToken, tokenFile } from './errors.ts';

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

/**
 * The token to show: the first line of the given file, else DROVER_TOKEN, CONSUL_HTTP_TOKEN, or the file that one of them with
 * `_FILE` names. Never an argument: those are seen by every user of the machine.
 *
 * @throws CLI_BAD_TOKEN, without it, CLI_TOKEN_FILE
 */
export function agentToken(environment: Environment, file?: unknown): string | undefined {
  const found = typeof file === 'string' ? (['--token-file', file] as const) : tokenIn(environment);
  if (found === undefined) return undefined;
  const [from, given] = found;
  const token = from === '--token-file' || from.endsWith('_FILE') ? firstLineOf(from, given) : given;
  if (!/^[\u0021-\u007E]+$/.test(token)) throw badToken(from);
  return token;
}

function tokenIn(environment: Environment): readonly [string, string] | undefined {
  const names = ['DROVER_TOKEN', 'CONSUL_HTTP_TOKEN', 'DROVER_TOKEN_FILE', 'CONSUL_HTTP_TOKEN_FILE'];
  return chosen(names.map((name) => [name, environment[name]]));
}

function firstLineOf(from: string, file: string): string {
  try {
    return (readFileSync(file, 'utf8').split('\n', 1)[0] as string).trim();
  } catch (error) {
    throw tokenFile.with({ cause: error }, from, file, (error as NodeJS.ErrnoException).code ?? 'it cannot be read');
  }
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
