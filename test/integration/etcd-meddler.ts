import type { EtcdClient, TxnRequestInit } from '../../src/store/etcd/client.ts';
import { EtcdCallFailed } from '../../src/store/etcd/client.ts';

type Txn = EtcdClient['txn'];
/** What becomes of a transaction: `send` does what would have been done. */
export type Meddle = (request: TxnRequestInit, send: () => ReturnType<Txn>) => ReturnType<Txn>;

/** A client between a store and its etcd: a test holds up, breaks or loses what a network would. */
export class EtcdMeddler {
  readonly client: EtcdClient;
  meddle: Meddle = (_request, send) => send();
  #cut: PromiseWithResolvers<void> | undefined;
  #cutting = new AbortController();

  constructor(real: EtcdClient) {
    const own: Partial<EtcdClient> = {
      txn: (request, options) => this.meddle(request, () => real.txn(request, options)),
      watch: (request, signal) => this.#watch(real, request, signal),
    };
    this.client = new Proxy(real, {
      get(target, name) {
        const value = (Reflect.get(own, name) ?? Reflect.get(target, name, target)) as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** Ends the watch, and holds up those that come. */
  cutWatch(): void {
    this.#cut = Promise.withResolvers();
    this.#cutting.abort();
    this.#cutting = new AbortController();
  }

  healWatch(): void {
    this.#cut?.resolve();
    this.#cut = undefined;
  }

  async *#watch(
    real: EtcdClient,
    ...[request, signal]: Parameters<EtcdClient['watch']>
  ): ReturnType<EtcdClient['watch']> & AsyncGenerator<never> {
    await this.#cut?.promise;
    yield* real.watch(request, AbortSignal.any([signal, this.#cutting.signal])) as AsyncIterable<never>;
    if (!signal.aborted) throw lost('none');
  }
}

/** A call whose answer did not come: it may have been done, or was not. */
export function lost(outcome: 'none' | 'unknown'): EtcdCallFailed {
  return new EtcdCallFailed(outcome === 'none' ? 'unavailable' : 'timeout', 'the line is down', {
    outcome,
    endpoint: 'etcd:2379',
  });
}

/** Whether a transaction puts a key that holds this text. */
export function puts({ success = [] }: TxnRequestInit, text: string): boolean {
  return success.some(({ request }) => {
    if (request?.case === 'requestTxn') return puts(request.value as TxnRequestInit, text);
    return request?.case === 'requestPut' && Buffer.from(request.value.key ?? []).includes(text);
  });
}
