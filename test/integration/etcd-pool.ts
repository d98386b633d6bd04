import type { Store } from '../../src/store/index.ts';
import type { EtcdCluster } from '../cluster/etcd-cluster.ts';
import { wipeEtcd } from './etcd-fixture.ts';

/** etcds that are used by one store at a time, and emptied before each: starting one takes longer than most tests. */
export class EtcdPool implements AsyncDisposable {
  readonly #start: () => Promise<EtcdCluster>;
  readonly #free: EtcdCluster[] = [];
  readonly #all: EtcdCluster[] = [];

  constructor(start: () => Promise<EtcdCluster>) {
    this.#start = start;
  }

  /** A store on an empty etcd, which is free again when the store is disposed of. */
  async open(start: (cluster: EtcdCluster) => Promise<Store>): Promise<Store> {
    const cluster = this.#free.pop() ?? (await this.#more());
    await wipeEtcd(cluster);
    const store = await start(cluster);
    let isOpen = true;
    const dispose = store[Symbol.asyncDispose].bind(store);
    store[Symbol.asyncDispose] = async () => {
      await dispose();
      if (isOpen) this.#free.push(cluster);
      isOpen = false;
    };
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((cluster) => cluster[Symbol.asyncDispose]()));
  }

  async #more(): Promise<EtcdCluster> {
    const cluster = await this.#start();
    this.#all.push(cluster);
    return cluster;
  }
}
