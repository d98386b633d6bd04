import type { DroverErrorJson, Place } from './errors.ts';

/** So many problems of one error are printed; the rest are counted. */
const MOST_PROBLEMS = 20;

/**
 * An error as a terminal shows it (design 11), without a newline at its end: code, place and message on the first line, then
 * the lines around the place, then the hint. An error that stands for several prints each of them.
 */
export function formatDroverError(error: DroverErrorJson): string {
  const problems = error.problems ?? [];
  if (problems.length === 0) return formatOne(error);
  const shown = problems.slice(0, MOST_PROBLEMS).map(formatDroverError);
  const left = problems.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('\n');
}

function formatOne(error: DroverErrorJson): string {
  const place = formatPlace(error.place);
  const lines = [`error ${error.code}: ${place === '' ? '' : `${place}: `}${error.message}`];
  if (error.excerpt !== undefined) lines.push(error.excerpt);
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  return lines.join('\n');
}

/** `file:line:column` as far as it is known; empty when nothing is. The key's path stands in the message already. */
export function formatPlace(place: Place | undefined): string {
  if (place === undefined) return '';
  if (place.line === undefined) return place.file ?? '';
  const where = place.column === undefined ? `${place.line}` : `${place.line}:${place.column}`;
  return place.file === undefined ? where : `${place.file}:${where}`;
}
