import type { CheckDefinition } from '../definition/index.ts';
import { invalidCheck } from './errors.ts';
import { isUnitName, splitGrpc, splitHostPort } from './target.ts';

/** How a check finds out; the words are Consul's check types. */
export type CheckKind =
  | 'script'
  | 'http'
  | 'tcp'
  | 'udp'
  | 'grpc'
  | 'h2ping'
  | 'docker'
  | 'os_service'
  | 'alias'
  | 'ttl';

/**
 * The kind of a check, from which of its fields is set.
 *
 * @throws HEALTH_INVALID_CHECK when it has none or several, or its target or time cannot be.
 */
export function checkKind(definition: CheckDefinition): CheckKind {
  const kinds = kindsOf(definition);
  const [kind] = kinds;
  if (kind === undefined) throw invalidCheck('it says neither args, script, http, tcp nor ttl, nor another kind');
  if (kinds.length > 1) throw invalidCheck(`it is several at once: ${kinds.join(', ')}`);
  const wrong = PROBLEMS[kind](definition);
  if (wrong !== null) throw invalidCheck(wrong);
  return kind;
}

/** Whether a check runs a command that its definition names, here or in a container: not everyone may say so. @throws HEALTH_INVALID_CHECK */
export function runsCommand(definition: CheckDefinition): boolean {
  const kind = checkKind(definition);
  return kind === 'script' || kind === 'docker';
}

function kindsOf(definition: CheckDefinition): CheckKind[] {
  return MARKS.filter(([, isKind]) => isKind(definition)).map(([kind]) => kind);
}

function hasCommand({ args, script }: CheckDefinition): boolean {
  return (args?.length ?? 0) > 0 || script !== undefined;
}

const MARKS: readonly (readonly [CheckKind, (definition: CheckDefinition) => boolean])[] = [
  ['script', (check) => check.dockerContainerId === undefined && hasCommand(check)],
  ['docker', ({ dockerContainerId }) => dockerContainerId !== undefined],
  ['http', ({ http }) => http !== undefined],
  ['tcp', ({ tcp }) => tcp !== undefined],
  ['udp', ({ udp }) => udp !== undefined],
  ['grpc', ({ grpc }) => grpc !== undefined],
  ['h2ping', ({ h2ping }) => h2ping !== undefined],
  ['os_service', ({ osService }) => osService !== undefined],
  ['alias', ({ aliasService, aliasNode }) => aliasService !== undefined || aliasNode !== undefined],
  ['ttl', ({ ttlMs }) => ttlMs !== undefined],
];

const PROBLEMS: Readonly<Record<CheckKind, (definition: CheckDefinition) => string | null>> = {
  script: ({ args, script }) => {
    if (args !== undefined && script !== undefined) return 'it has both args and script';
    return script === '' || args?.[0] === '' ? 'its script is empty' : null;
  },
  docker: (check) => {
    if (check.dockerContainerId === '') return 'its container is empty';
    return hasCommand(check) ? PROBLEMS.script(check) : 'it has no args to run in the container';
  },
  http: ({ http = '' }) => (isHttpUrl(http) ? null : `${JSON.stringify(http)} is not an http or https URL`),
  tcp: ({ tcp = '' }) => hostPortProblem(tcp),
  udp: ({ udp = '' }) => hostPortProblem(udp),
  grpc: ({ grpc = '' }) => (splitGrpc(grpc) === null ? `${JSON.stringify(grpc)} is not host:port/service` : null),
  h2ping: ({ h2ping = '' }) => hostPortProblem(h2ping),
  os_service: ({ osService = '' }) =>
    isUnitName(osService) ? null : `${JSON.stringify(osService)} is not the name of a systemd unit`,
  alias: ({ aliasService, aliasNode }) => (aliasService === '' || aliasNode === '' ? 'its target is empty' : null),
  ttl: ({ ttlMs = 0 }) => (ttlMs > 0 ? null : 'TTL must be > 0 for TTL checks'),
};

function hostPortProblem(target: string): string | null {
  return splitHostPort(target) === null ? `${JSON.stringify(target)} is not host:port` : null;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
