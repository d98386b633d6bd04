import { expect, test } from 'vitest';
import { runFaults } from '../cluster/faults/fault-run.ts';
import { INVARIANTS } from '../cluster/faults/invariants.ts';
import { reportLines } from '../cluster/faults/report.ts';
import { requireComponent } from '../require-component.ts';

/** A minute of faults in two rounds, and what comes before, between and after; `npm run faults` gives more. */
const SEED = 20_261_121;
const DURATION_MS = 60_000;
const WITHIN_MS = 300_000;

requireComponent('etcd')('a cluster under faults', () => {
  test(
    'keeps the thirteen invariants',
    async () => {
      const said: string[] = [];
      const print = (line: string): void => void said.push(line);
      const result = await runFaults({ seed: SEED, durationMs: DURATION_MS, roundMs: DURATION_MS / 2, print });
      const report = [`seed ${SEED}`, ...said, ...reportLines(result, SEED)].join('\n');
      expect(result.findings.all, report).toEqual([]);
      expect(result.history.undecided, report).toEqual([]);
      for (const number of Object.keys(INVARIANTS)) {
        expect(
          result.findings.count(Number(number) as keyof typeof INVARIANTS),
          `${number}\n${report}`,
        ).toBeGreaterThan(0);
      }
    },
    WITHIN_MS,
  );
});
