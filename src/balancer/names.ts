/** HAProxy takes letters, digits, `-`, `_`, `.` and `:` in names; everything else becomes `:` and two hex digits. */
const UNSAFE = /[^A-Za-z0-9_.-]/g;
const ESCAPED = /:([0-9A-F]{2})/g;
/** Ends the name of a second object of the same member; `::` never comes out of an escape. */
const GENERATION = /::\d+$/;

/** The name of a service's frontend and backend. */
export function backendName(service: string): string {
  return Buffer.from(service, 'utf8').toString('latin1').replace(UNSAFE, escape);
}

/** The service that a backend's name stands for. */
export function serviceOfBackend(name: string): string {
  const bytes = name.replace(ESCAPED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/**
 * A server's name for a member: `api-1/api` is `api-1:2Fapi`. While older objects of the same member are still being
 * removed, the next one is `api-1:2Fapi::2`, because a changed address always is a new object (the old one's kept-alive
 * connections would go on to the old address).
 */
export function serverName(key: string, taken: ReadonlySet<string> = new Set()): string {
  const name = backendName(key);
  if (!taken.has(name)) return name;
  let generation = 2;
  while (taken.has(`${name}::${generation}`)) generation++;
  return `${name}::${generation}`;
}

/** The member's key that a server's name stands for. */
export function keyOfServer(name: string): string {
  return serviceOfBackend(name.replace(GENERATION, ''));
}

function escape(character: string): string {
  return `:${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
