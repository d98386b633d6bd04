import type { CheckDefinition } from '../definition/index.ts';
import { type AliasSelf, type AliasTarget, type AliasTargets, aliasTargetOf, judgeAlias } from './alias-target.ts';
import type { Observe } from './probe-loop.ts';
import { boundOutput, outputLimitOf } from './verdict.ts';

/** A check that stands as its target does. */
export class AliasWatch {
  readonly #targets: AliasTargets;
  readonly #target: AliasTarget;
  readonly #self: AliasSelf;
  readonly #observe: Observe;
  readonly #outputLimit: number;
  readonly #unlisten: () => void;
  #isDue = false;
  #isStopped = false;

  constructor(options: {
    readonly definition: CheckDefinition;
    readonly targets: AliasTargets;
    readonly self: Omit<AliasSelf, 'node'>;
    readonly observe: Observe;
  }) {
    const { definition, targets, self } = options;
    this.#targets = targets;
    this.#target = aliasTargetOf(definition, targets.node);
    this.#self = { ...self, node: targets.node };
    this.#observe = options.observe;
    this.#outputLimit = outputLimitOf(definition);
    this.#unlisten = targets.onChange(this.#target, () => this.#plan());
    this.#plan();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unlisten();
  }

  /** Not at once: who tells of a change is in the middle of it, and often tells of several. */
  #plan(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (!this.#isStopped) this.#look();
    });
  }

  #look(): void {
    const seen = judgeAlias(this.#target, this.#targets.checksOf(this.#target), this.#self);
    if (seen !== null) this.#observe({ ...seen, output: boundOutput(seen.output, this.#outputLimit) });
  }
}
