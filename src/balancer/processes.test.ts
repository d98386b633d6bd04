import { describe, expect, it } from 'vitest';
import { parseShowProc } from './processes.ts';

const TEXT = `#<PID>          <type>          <reloads>       <uptime>        <version>      
1162            master          5 [failed: 2]   0d00h02m07s     2.6.12
# workers
1271            worker          1               0d00h00m00s     2.6.12
# old workers
1233            worker          3               0d00h00m43s     2.6.12
1244            worker          2               0d00h00m43s     2.6.12
# programs

`;

describe('parseShowProc()', () => {
  it('tells the master, its workers and those that reloads left', () => {
    expect(parseShowProc(TEXT)).toEqual({ master: 1162, failedReloads: 2, workers: [1271], oldWorkers: [1233, 1244] });
  });

  it('reads the answer of a HAProxy that counts no failures', () => {
    expect(parseShowProc('7 master 0 0d\n# workers\n9 worker 0 0d\n')).toMatchObject({
      failedReloads: 0,
      workers: [9],
    });
  });

  it('gives null for what is no such answer', () => expect(parseShowProc('Permission denied\n')).toBeNull());
});
