import type { IncomingMessage } from 'node:http';
import type { RegionServers, ServerPlace } from './region-servers.ts';
import { UpstreamLost, type UpstreamRequest } from './ask-upstream.ts';

/** Servers that a test links and loses. */
export class TestServers implements RegionServers {
  readonly candidates: readonly ServerPlace[];
  current: ServerPlace | null;
  readonly #listeners = new Set<() => void>();

  constructor(urls: readonly string[], linked: string | null = urls[0] ?? null) {
    this.candidates = urls.map((url) => ({ url, name: url }));
    this.current = linked === null ? null : { url: linked, name: linked };
  }

  onChange(listen: () => void): () => void {
    this.#listeners.add(listen);
    return () => void this.#listeners.delete(listen);
  }

  link(url: string | null): void {
    this.current = url === null ? null : { url, name: url };
    for (const listen of this.#listeners) listen();
  }
}

/** A request that a test answers when it likes. */
export interface Sent extends UpstreamRequest {
  readonly waits: boolean;
  answer(name?: string): void;
  lose(wasSent?: boolean): void;
}

/** Servers' HTTP as a test plays it; `down` are not there. */
export class TestUpstream {
  readonly sent: Sent[] = [];
  readonly down = new Set<string>();

  ask(request: UpstreamRequest, waits: boolean): Promise<IncomingMessage> {
    if (this.down.has(request.server)) return Promise.reject(new UpstreamLost('refused', false));
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { signal } = request;
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    this.sent.push({
      ...request,
      waits,
      answer: (name = 'answer') => resolve({ name } as unknown as IncomingMessage),
      lose: (wasSent = true) => reject(new UpstreamLost('reset', wasSent)),
    });
    return promise;
  }

  get last(): Sent {
    return this.sent.at(-1) as Sent;
  }
}
