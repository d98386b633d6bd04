import type { InstanceState, NodeState } from './catalog-state.ts';
import type { ChangeBuilder } from './feed.ts';
import { healthOf } from './health-of.ts';
import type { Health, InstanceRecord } from './records.ts';

/** A summary is for people: so many lines of one revision, then only how many more. */
const MAX_LINES = 50;

interface Before {
  readonly record: InstanceRecord;
  readonly health: Health | 'absent';
}

/**
 * Collects which nodes and services a revision changed, and says it for people by comparing instances before and after.
 * Each `…Changes` call comes before the change is made.
 */
export class ChangeSummary {
  readonly #change: ChangeBuilder | undefined;
  readonly #before = new Map<InstanceState, Before>();
  readonly #nodes = new Map<string, string>();
  #omitted = 0;

  constructor(change: ChangeBuilder | undefined) {
    this.#change = change;
  }

  instanceChanges(instance: InstanceState, was?: 'absent'): void {
    if (this.#change === undefined || this.#before.has(instance)) return;
    const health = was ?? presence(instance);
    this.#before.set(instance, { record: instance.record, health });
  }

  /** `word` says what the node became, `''` that its record changed; without it only its checks did. */
  nodeChanges(node: NodeState, word?: string): void {
    if (this.#change === undefined) return;
    this.#change.nodes.add(node.name);
    for (const instance of node.unordered()) this.instanceChanges(instance);
    if (word !== undefined && this.#nodes.get(node.name) !== 'gone')
      this.#nodes.set(node.name, word || (this.#nodes.get(node.name) ?? ''));
  }

  line(text: string): void {
    if (this.#change === undefined) return;
    if (this.#change.summary.length < MAX_LINES) this.#change.summary.push(text);
    else this.#omitted++;
  }

  finish(): void {
    for (const [name, word] of this.#nodes) this.line(`node ${name}${word === '' ? '' : ` ${word}`}`);
    for (const [instance, before] of this.#before) this.#compare(instance, before);
    if (this.#omitted > 0) this.#change?.summary.push(`and ${this.#omitted} more`);
  }

  #compare(instance: InstanceState, before: Before): void {
    const after = presence(instance);
    if (before.health === 'absent' && after === 'absent') return;
    this.#change?.services.add(before.record.service).add(instance.record.service);
    const name = `${instance.record.id}@${instance.node.name}`;
    if (after === 'absent') this.line(`${name} gone`);
    else if (before.health === 'absent') this.line(`${name} registered`);
    else if (before.health !== after) this.line(`${name} ${after}`);
    else if (before.record !== instance.record) this.line(`${name} changed`);
  }
}

function presence(instance: InstanceState): Health | 'absent' {
  const isSeen = instance.node.isRegistered && instance.node.instance(instance.record.id) === instance;
  return isSeen ? healthOf(instance) : 'absent';
}
