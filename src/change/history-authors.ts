import type { ChangeBuilder, Projection } from '../registry/index.ts';
import { historyAuthor } from '../store/index.ts';
import type { Batch } from '../store/index.ts';

/** Says of each revision who made it, as its history has it; keeps nothing. */
export class HistoryAuthors implements Projection {
  readonly families: readonly string[] = ['hist/'];

  load(): void {}

  held(): [] {
    return [];
  }

  apply({ events }: Batch, change: ChangeBuilder): void {
    for (const event of events) if (event.type === 'put') change.author = historyAuthor(event.entry.value);
  }
}
