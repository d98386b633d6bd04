import { isIP } from 'node:net';

/** One address of the machine, as `os.networkInterfaces()` has it. */
export interface MachineAddress {
  readonly address: string;
  readonly family: string;
  readonly internal: boolean;
}

export type MachineInterfaces = Readonly<Record<string, readonly MachineAddress[] | undefined>>;

/** RFC 1918 and RFC 6598, which Consul counts as private. */
const PRIVATE = /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;

/**
 * What Consul's templates of addresses are on this machine: `{{ GetPrivateIP }}`, `{{ GetPublicIP }}`, `{{ GetInterfaceIP "eth0" }}`. Other texts
 * are as they are, and so is a template that is not known here or finds nothing, which then is no address. Pure.
 */
export function expandAddress(text: string, interfaces: () => MachineInterfaces): string {
  const [, name, argument] = /^\{\{\s*(Get\w+)(?:\s+"([^"]*)")?\s*\}\}$/.exec(text.trim()) ?? [];
  if (name === undefined) return text;
  const found = candidates(name, argument, interfaces()).find(({ family }) => family === 'IPv4');
  return found?.address ?? text;
}

function candidates(name: string, argument: string | undefined, all: MachineInterfaces): readonly MachineAddress[] {
  const addresses = Object.values(all).flatMap((one) => one ?? []);
  const outside = addresses.filter(({ internal, address }) => !internal && isIP(address) !== 0);
  if (name === 'GetPrivateIP') return outside.filter(({ address }) => PRIVATE.test(address));
  if (name === 'GetPublicIP') return outside.filter(({ address }) => !PRIVATE.test(address));
  if (name === 'GetInterfaceIP' && argument !== undefined) return all[argument] ?? [];
  return [];
}
