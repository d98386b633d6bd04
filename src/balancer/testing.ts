import type { Frontend, Member } from '../registry/index.ts';
import type { RuntimeServer } from './servers-state.ts';

/** A member `node/id` for tests. */
export function testMember(key: string, rest: Partial<Member> = {}): Member {
  const [node = '', id = ''] = key.split('/');
  return { key, node, id, address: '127.0.0.1', port: 80, weight: 1, draining: false, ...rest };
}

/** A frontend of service api on port 1100 for tests. */
export function testFrontend(members: readonly Member[], rest: Partial<Frontend> = {}): Frontend {
  return { service: 'api', port: 1100, protocol: 'http', members, panicking: false, ...rest };
}

/** A server in HAProxy’s runtime for tests: up, weight 100. */
export function testServer(name: string, rest: Partial<RuntimeServer> = {}): RuntimeServer {
  return { backend: 'api', name, address: '127.0.0.1', port: 80, operational: 2, admin: 0, weight: 100, ...rest };
}
