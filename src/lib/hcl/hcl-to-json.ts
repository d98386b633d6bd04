import { type HclBody, type HclItem, type HclValue, isHclBody } from './value.ts';

/** An object while it is made; a Map, so that no key is special. */
type Draft = Map<string, unknown>;

/**
 * A body as HashiCorp's decoder reads it. Labels nest: `key "a" { … }` is `{ key: { a: { … } } }`, and blocks of one key
 * with different labels are one object. Blocks that say the same key and labels again become a list of objects, in order;
 * of an attribute that is said again the last counts.
 */
export function hclToJson(body: HclBody): Record<string, unknown> {
  return finished(draftOf(body)) as Record<string, unknown>;
}

function draftOf(body: HclBody): Draft {
  const draft: Draft = new Map();
  for (const item of body.items) add(draft, item.key, item);
  return draft;
}

function add(draft: Draft, key: string, { labels, value }: HclItem): void {
  const before = draft.get(key);
  if (!isHclBody(value)) draft.set(key, jsonOf(value));
  else if (labels.length === 0) draft.set(key, withBlock(before, new Block(draftOf(value))));
  else draft.set(key, withLabelled(before, labels, new Block(draftOf(value))));
}

/** What stood in braces: unlike a Draft made of labels, nothing is merged into it. */
class Block {
  readonly draft: Draft;
  constructor(draft: Draft) {
    this.draft = draft;
  }
}

/** Several of one name. */
class Several {
  readonly blocks: (Block | Draft)[];
  constructor(blocks: (Block | Draft)[]) {
    this.blocks = blocks;
  }
}

function withBlock(before: unknown, block: Block | Draft): unknown {
  if (before instanceof Several) {
    before.blocks.push(block);
    return before;
  }
  return before instanceof Block || before instanceof Map ? new Several([before, block]) : block;
}

function withLabelled(before: unknown, labels: readonly string[], block: Block): unknown {
  const last = before instanceof Several ? before.blocks.at(-1) : before;
  const isMergeable = last instanceof Map;
  const draft: Draft = isMergeable ? last : new Map();
  const [label = '', ...rest] = labels;
  const inner = draft.get(label);
  draft.set(label, rest.length === 0 ? withBlock(inner, block) : withLabelled(inner, rest, block));
  return isMergeable ? before : withBlock(before, draft);
}

function jsonOf(value: HclValue): unknown {
  if (isHclBody(value)) return hclToJson(value);
  return Array.isArray(value) ? value.map((each) => jsonOf(each as HclValue)) : value;
}

function finished(value: unknown): unknown {
  if (value instanceof Several) return value.blocks.map(finished);
  const draft = value instanceof Block ? value.draft : value;
  if (!(draft instanceof Map)) return draft;
  return Object.fromEntries([...draft].map(([key, each]) => [key, finished(each)]));
}
