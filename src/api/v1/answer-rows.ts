import type { Authority } from '../../access/index.ts';
import { compileFilter, type FilterFields } from '../../lib/index.ts';
import type { LiveQuery, Rendered } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { answerRead, type Present } from './blocking.ts';
import type { V1Answer, V1Request } from './exchange.ts';

/** A read whose answer is made of rows: what a token may not see is left out, then what `?filter=` does not match. */
export interface RowsQuery<Row> {
  /** As of `LiveQuery`, without token and filter. */
  readonly key: string;
  readonly topics: readonly string[];
  rows(): readonly Row[];
  sees(authority: Authority, row: Row): boolean;
  /** A row as the client gets it, which is what a filter speaks of. */
  wire(row: Row): unknown;
  /** What a filter may speak of. */
  readonly shape: FilterFields;
  /** The whole body; a list of the rows' wire forms unless told. */
  body?(rows: readonly Row[]): unknown;
}

/**
 * Answers such a read as `answerRead` does.
 *
 * @throws API_BAD_REQUEST for a filter that cannot be, with Consul's text, and what `answerRead` throws
 */
export function answerRows<Row>(
  context: ApiContext,
  request: V1Request,
  /** Called once for each URL and token; it may throw what is wrong with the URL. */
  read: () => RowsQuery<Row>,
  present?: Present,
): V1Answer | Promise<V1Answer> {
  const { kept, authority } = request;
  if (kept.live === undefined || kept.liveFor !== authority.id) {
    kept.live = liveRows(read(), authority, request.query.get('filter') ?? '');
    kept.liveFor = authority.id;
  }
  return answerRead(context, request, kept.live, present);
}

function liveRows<Row>(query: RowsQuery<Row>, authority: Authority, filter: string): LiveQuery {
  const { key, topics } = query;
  const matches = rowFilter(filter, query.shape);
  const render = (): Rendered => {
    const all = query.rows();
    const seen = authority.id === '' ? all : all.filter((row) => query.sees(authority, row));
    const isFiltered = seen.length < all.length;
    return { text: JSON.stringify(bodyOf(query, seen, matches)), isFiltered };
  };
  return { key: JSON.stringify([key, authority.id, filter]), topics, render };
}

function bodyOf<Row>(query: RowsQuery<Row>, rows: readonly Row[], matches: RowFilter | undefined): unknown {
  if (query.body !== undefined) {
    return query.body(matches === undefined ? rows : rows.filter((row) => matches(query.wire(row))));
  }
  const wires = rows.map((row) => query.wire(row));
  return matches === undefined ? wires : wires.filter((wire) => matches(wire));
}

/** The rows that a filter lets through, of what is not a blocking read. @throws API_BAD_REQUEST with Consul's text */
export function filterRows<Row>(
  rows: readonly Row[],
  filter: string | null,
  shape: FilterFields,
  wire: (row: Row) => unknown,
): readonly Row[] {
  const matches = rowFilter(filter ?? '', shape);
  return matches === undefined ? rows : rows.filter((row) => matches(wire(row)));
}

type RowFilter = (row: unknown) => boolean;

/** What `?filter=` says of a row in its wire form; undefined for no filter. @throws API_BAD_REQUEST with Consul's text */
export function rowFilter(filter: string, shape: FilterFields): RowFilter | undefined {
  if (filter === '') return undefined;
  try {
    return compileFilter(filter, shape);
  } catch (error) {
    throw badRequest.with(
      { cause: error },
      `Failed to create boolean expression evaluator: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
