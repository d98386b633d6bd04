// Preloaded into a process: its wall clock is off by as many ms as the file SHIFTED_CLOCK says, from when that is written on.
// Monotonic time stays as it is, as with a clock that somebody sets.
import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 50;
const TrueDate = Date;
let [offsetMs, lookedAtMs] = [0, -Infinity];

function now() {
  if (performance.now() - lookedAtMs > LOOK_EVERY_MS) {
    lookedAtMs = performance.now();
    try {
      offsetMs = Number(readFileSync(process.env.SHIFTED_CLOCK, 'utf8')) || 0;
    } catch {
      offsetMs = 0;
    }
  }
  return TrueDate.now() + offsetMs;
}

globalThis.Date = class Date extends TrueDate {
  constructor(...parts) {
    if (parts.length === 0) super(now());
    else super(...parts);
  }

  static now() {
    return now();
  }
};
