/** One server as HAProxy's runtime has it. */
export interface RuntimeServer {
  readonly backend: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** 0 down, 1 starting, 2 up. */
  readonly operational: number;
  /** Bits: 1 maintenance, 4 maintenance from the file, 8 drain, and their inherited forms. */
  readonly admin: number;
  readonly weight: number;
}

/** Any bit but "disabled in the file", which a server keeps after it was enabled at run time. */
const OUT_OF_ROTATION = 0x3b;
const MAINTENANCE = 0x23;
const DRAIN = 0x18;

export const isInRotation = (server: RuntimeServer): boolean => (server.admin & OUT_OF_ROTATION) === 0;
export const isInMaintenance = (server: RuntimeServer): boolean => (server.admin & MAINTENANCE) !== 0;
export const isDrained = (server: RuntimeServer): boolean => (server.admin & DRAIN) !== 0;

const COLUMNS = ['be_name', 'srv_name', 'srv_addr', 'srv_port', 'srv_op_state', 'srv_admin_state', 'srv_uweight'];

/**
 * Reads the answer to `show servers state`, columns by their names in its header line; null when the text is no such
 * answer (HAProxy said something else, or the answer was cut).
 */
export function parseServersState(text: string): RuntimeServer[] | null {
  const lines = text.split('\n');
  const header = lines.findIndex((line) => line.startsWith('# be_id '));
  if (header < 1) return null;
  const names = (lines[header] as string).slice(2).split(' ');
  const columns = COLUMNS.map((name) => names.indexOf(name));
  if (columns.includes(-1)) return null;
  const rows = lines.slice(header + 1).filter((line) => line !== '' && !line.startsWith('#'));
  return rows.map((line) => readServer(line.split(' '), columns));
}

function readServer(fields: readonly string[], columns: readonly number[]): RuntimeServer {
  const [backend, name, address, port, operational, admin, weight] = columns.map((column) => fields[column] ?? '');
  return {
    backend: backend as string,
    name: name as string,
    address: address as string,
    port: Number(port),
    operational: Number(operational),
    admin: Number(admin),
    weight: Number(weight),
  };
}
