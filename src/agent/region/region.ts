import { channelPair, type NodeChannel } from '../../link/index.ts';
import type { AccessOptions, RegionOptions } from './region-options.ts';
import type { RegionParts } from './region-parts.ts';
import { ensureManagement } from './start-access.ts';
import { startParts } from './start-parts.ts';

/** The region's half of a server: store, catalog, registry, changes and the region's end of all links. */
export class Region implements AsyncDisposable {
  readonly parts: RegionParts;
  readonly #accessControl: AccessOptions;
  readonly #stack: AsyncDisposableStack;

  /** @throws STORE_IN_USE, STORE_UNUSABLE, STORE_NEWER_LAYOUT */
  static async start(options: RegionOptions): Promise<Region> {
    await using stack = new AsyncDisposableStack();
    const parts = await startParts(options, stack);
    return new Region(options, parts, stack.move());
  }

  private constructor({ accessControl }: RegionOptions, parts: RegionParts, stack: AsyncDisposableStack) {
    this.#accessControl = accessControl;
    this.parts = parts;
    this.#stack = stack;
  }

  /** A node's end of a new link to this server. */
  connect(): NodeChannel {
    const [node, region] = channelPair();
    this.parts.links.accept(region);
    return node;
  }

  /**
   * The store was restored: every node has to say again what it is and runs, and those that do not are gone. The management token
   * of the configuration is there again, whatever the snapshot held.
   */
  async greetAgain(): Promise<void> {
    this.parts.links.greetAgain('the region was restored from a snapshot');
    this.parts.liveness.expectAll();
    await ensureManagement(this.#accessControl, this.parts.acl);
  }

  /** Ends the links of other processes, before HTTP does: their nodes go to another server. */
  endRemoteLinks(): void {
    this.parts.links.endRemote('the server stops');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
