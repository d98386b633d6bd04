import { readFileSync } from 'node:fs';
import os from 'node:os';
import { afterEach, beforeEach } from 'vitest';

/** Of a second's processor time, when nothing that is timed can be held to its bound any more. */
const MOST_STOLEN = 0.25;
const SAMPLE_MS = 1_000;
const TICK_MS = 10;

/** What the host of this virtual machine has kept from it since it began, in ms of one processor; proc(5), `steal`. 0 where nobody says. */
export function stolenMs(stat: string): number {
  const fields = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ') ?? [];
  return Number(fields[7] ?? 0) * TICK_MS;
}

/** Looks every second how much of it the host kept for others. */
class StolenTime {
  #lookedAtMs = performance.now();
  #stolenMs = read();
  #worst = 0;

  constructor() {
    setInterval(() => this.#look(), SAMPLE_MS).unref();
  }

  begin(): void {
    this.#look();
    this.#worst = 0;
  }

  /** The largest share of a second since `begin`. */
  worst(): number {
    this.#look();
    return this.#worst;
  }

  #look(): void {
    const [nowMs, stolen] = [performance.now(), read()];
    // In less than that a few ticks are a large share.
    if (nowMs - this.#lookedAtMs < SAMPLE_MS / 2) return;
    const share = (stolen - this.#stolenMs) / (nowMs - this.#lookedAtMs) / os.availableParallelism();
    this.#worst = Math.max(this.#worst, share);
    [this.#lookedAtMs, this.#stolenMs] = [nowMs, stolen];
  }
}

function read(): number {
  try {
    return stolenMs(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return 0;
  }
}

const stolen = new StolenTime();

beforeEach(() => stolen.begin());

// What failed while the host ran somebody else instead says nothing about drover: this error has it tried again (docs/decisions/194).
afterEach(({ task }) => {
  const worst = stolen.worst();
  if (task.result?.state === 'fail' && worst >= MOST_STOLEN)
    throw new Error(`the host took the processors away: ${Math.round(worst * 100)} % of a second while this ran`);
});
