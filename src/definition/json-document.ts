import { createRequire } from 'node:module';
import type * as Momoa from '@humanwhocodes/momoa';
import { messageOf } from '../lib/index.ts';
import { findJsonProblem, findTooDeep } from './json-problem.ts';
import type { JsonMode } from './json-tokens.ts';
import { type PlacedValue, type ReadProblem, type ReadResult, placedList, placedMap } from './placed-value.ts';
import type { SourceText } from './source-text.ts';

/** Reads JSON with comments, or JSON5, keeping the place of each key and value. */
export function readJson(
  source: SourceText,
  { mode, maxDepth }: { readonly mode: JsonMode; readonly maxDepth: number },
): ReadResult {
  const tooDeep = findTooDeep(source, mode, maxDepth);
  if (tooDeep !== undefined) return { ok: false, problems: [{ kind: 'depth', offset: tooDeep }] };
  // The grammar is judged here first: the parser's own errors do not say what was expected, and some broken JSON5 makes it loop for ever.
  const problem = findJsonProblem(source, mode);
  if (problem !== undefined) return { ok: false, problems: [problem] };
  try {
    // Read when there is something to parse: an agent without files needs none of it.
    const { parse } = createRequire(import.meta.url)('@humanwhocodes/momoa') as typeof Momoa;
    const document = parse(source.text, { mode });
    const problems: ReadProblem[] = [];
    const root = placed(document.body, source.text, problems);
    return problems.length === 0 ? { ok: true, root } : { ok: false, problems };
  } catch (error) {
    return { ok: false, problems: [parserProblem(error)] };
  }
}

/** The parser's own words, for the rare text that it refuses and the grammar here does not. */
function parserProblem(error: unknown): ReadProblem {
  const offset = (error as { offset?: unknown }).offset;
  return { kind: 'syntax', offset: typeof offset === 'number' ? offset : 0, message: messageOf(error) };
}

function placed(node: Momoa.ValueNode, text: string, problems: ReadProblem[]): PlacedValue {
  const offset = node.loc.start.offset;
  const written = text.slice(offset, node.loc.end.offset);
  switch (node.type) {
    case 'Object':
      return placedMap(
        offset,
        node.members.map((member) => placedMember(member, text, problems)),
        problems,
      );
    case 'Array':
      return placedList(
        offset,
        node.elements.map((element) => placed(element.value, text, problems)),
      );
    case 'Null':
      return { value: null, offset };
    case 'NaN':
      return { value: Number.NaN, offset, written };
    case 'Infinity':
      return { value: node.sign === '-' ? -Infinity : Infinity, offset, written };
    case 'String':
      return { value: node.value, offset };
    default:
      return { value: node.value, offset, written };
  }
}

function placedMember(
  member: Momoa.MemberNode,
  text: string,
  problems: ReadProblem[],
): { key: string; keyOffset: number; child: PlacedValue } {
  const key = member.name.type === 'Identifier' ? member.name.name : member.name.value;
  return { key, keyOffset: member.name.loc.start.offset, child: placed(member.value, text, problems) };
}
