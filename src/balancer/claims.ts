import type { BalancerView, Frontend } from '../registry/index.ts';
import type { PortGuard } from './port-guard.ts';
import { endpoint, unusableMembers } from './wanted.ts';

/** Which frontends can be had now. */
export interface Claims {
  readonly usable: readonly Frontend[];
  /** Why not, by service. */
  readonly refused: ReadonlyMap<string, string>;
  /** Members that cannot be used, for the receipt's reason. */
  readonly complaints: readonly string[];
}

/**
 * Takes the ports of a view, and only those. One that cannot be had costs no other frontend (P6). `bound`: what our own
 * HAProxy listens on already.
 */
export async function claimPorts(guard: PortGuard, view: BalancerView, bound: ReadonlySet<string>): Promise<Claims> {
  await guard.keepOnly(new Set(view.frontends.map((frontend) => endpoint(view.address, frontend.port))));
  const refused = new Map<string, string>();
  const usable: Frontend[] = [];
  const owners = new Map<number, string>();
  for (const frontend of view.frontends.toSorted((a, b) => (a.service < b.service ? -1 : 1))) {
    const { service, port } = frontend;
    const owner = owners.get(port);
    const where = endpoint(view.address, port);
    const reason =
      owner === undefined
        ? await guard.claim(view.address, port, bound.has(where))
        : `port ${where} is already that of service ${owner}`;
    if (reason !== null) refused.set(service, reason);
    else {
      owners.set(port, service);
      usable.push(frontend);
    }
  }
  return { usable, refused, complaints: usable.flatMap(unusableMembers) };
}

/** Takes ports by their endpoints, such as `127.0.0.1:1100`; false when one cannot be had. */
export async function claimEndpoints(guard: PortGuard, endpoints: readonly string[]): Promise<boolean> {
  for (const where of endpoints) {
    const [, address = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(where) ?? [];
    if ((await guard.claim(address, Number(port), false)) !== null) return false;
  }
  return true;
}
