/** What a check connects to. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Host and port of `host:port` or `[v6]:port`; null when it is neither. */
export function splitHostPort(address: string): HostPort | null {
  const match = /^(?:\[([^\]\s]+)\]|([^:\s/?#@\\[\]]*)):(\d{1,5})$/.exec(address);
  if (match === null) return null;
  const port = Number(match[3]);
  // Go dials the local host when the host is left out.
  return port > 0 && port < 65_536 ? { host: match[1] ?? (match[2] || 'localhost'), port } : null;
}

/** The parts of `host:port` or `host:port/service`; an empty service is the server as a whole. Null when it is neither. */
export function splitGrpc(target: string): (HostPort & { readonly service: string }) | null {
  const [address = '', ...rest] = target.split('/');
  const at = splitHostPort(address);
  return at === null ? null : { ...at, service: rest.join('/') };
}

/** What systemd allows in a unit's name; none that could be an option. */
const UNIT_NAME = /^(?!-)[\w:.\\@-]{1,255}$/;

/** Whether a text is the name of a systemd unit. */
export function isUnitName(name: string): boolean {
  return UNIT_NAME.test(name);
}
