import { decodeBytes } from './percent.ts';

const HIDDEN = '<hidden>';
/** Before Consul 1.4 a token's id was its secret, and stood in the path. */
const SECRET_PATH = /^(\/v1\/acl\/(?:create|update|destroy|info|clone)\/).+$/is;

/** A URL as it may be logged: without the secret of a token, however its parameter is written. */
export function shownUrl(url: string): string {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const shown = pathOf(path);
  return mark < 0
    ? shown
    : `${shown}?${url
        .slice(mark + 1)
        .split('&')
        .map(shownPair)
        .join('&')}`;
}

function pathOf(path: string): string {
  const plain = decodeBytes(path) ?? path;
  return SECRET_PATH.test(plain) ? plain.replace(SECRET_PATH, `$1${HIDDEN}`) : path;
}

function shownPair(pair: string): string {
  const equals = pair.indexOf('=');
  const name = equals < 0 ? pair : pair.slice(0, equals);
  return equals >= 0 && /^token$/i.test(decodeBytes(name) ?? name) ? `${name}=${HIDDEN}` : pair;
}
