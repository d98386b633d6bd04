/** Counters of one server since its worker started (management guide 9.1, CSV). */
export interface ServerStatistics {
  readonly backend: string;
  readonly name: string;
  /** Sessions, or requests in http mode, that are in flight now. */
  readonly sessions: number;
  /** How often it was chosen in all, retried requests included. */
  readonly total: number;
  /** Attempts that failed: connections refused or timed out, cut answers, and what was therefore sent elsewhere. */
  readonly failures: number;
}

/** Asks for the counters of all servers. */
export const SHOW_STATISTICS = 'show stat -1 4 -1';

const COLUMNS = ['pxname', 'svname', 'scur', 'stot', 'econ', 'eresp', 'wretr', 'wredis'];

/** Reads answers to `show stat`, also several after one another; empty when the text holds none. */
export function parseStatistics(text: string): ServerStatistics[] {
  let columns: number[] = [];
  const rows: ServerStatistics[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(',');
    if (line.startsWith('# pxname,')) columns = COLUMNS.map((name) => line.slice(2).split(',').indexOf(name));
    else if (columns.length > 0 && fields.length > 10) rows.push(readRow(fields, columns));
  }
  return rows;
}

/** Sessions in flight by `backend/server`, over all rows. */
export function sessionsByServer(rows: readonly ServerStatistics[]): Map<string, number> {
  const sessions = new Map<string, number>();
  for (const row of rows) {
    const server = `${row.backend}/${row.name}`;
    sessions.set(server, (sessions.get(server) ?? 0) + row.sessions);
  }
  return sessions;
}

function readRow(fields: readonly string[], columns: readonly number[]): ServerStatistics {
  const [backend, name, ...counters] = columns.map((column) => fields[column] ?? '');
  const [sessions = 0, total = 0, ...failures] = counters.map((text) => Number(text) || 0);
  return {
    backend: backend as string,
    name: name as string,
    sessions,
    total,
    failures: failures.reduce((sum, count) => sum + count, 0),
  };
}
