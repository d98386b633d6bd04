import { DroverError } from '../lib/index.ts';
import { linkRefused } from './errors.ts';
import type { RegionMessage } from './messages.ts';

/** The region's refusal of a greeting (`LINK_REFUSED`), with what it says for whoever wants to greet again. */
export class LinkRefusal extends DroverError {
  /** The region's code: why. */
  readonly why: string;
  /** The epoch that has spoken for the node since; null where the greeting was not too old. */
  readonly epoch: number | null;

  constructor(node: string, { code, message, epoch }: Extract<RegionMessage, { type: 'refused' }>) {
    const error = linkRefused(node, code, message);
    super(error, error.message);
    this.why = code;
    this.epoch = epoch ?? null;
  }
}
