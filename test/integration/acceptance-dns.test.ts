import { afterAll, beforeAll, expect, test } from 'vitest';
import { findComponent, requireComponent } from '../require-component.ts';
import { runProgram } from './acceptance-processes.ts';
import { until } from '../until.ts';
import { DNS_PORT, startRegion } from './acceptance-region.ts';
import type { TestRegion } from './acceptance-region.ts';

const NAME = 'elasticsearch.service.consul';
const INTERVAL_MS = 1_000;

requireComponent('dig')('dig', () => {
  let region: TestRegion;
  beforeAll(async () => {
    region = await startRegion();
  });
  afterAll(() => region?.[Symbol.asyncDispose]());

  const dig = async (...words: string[]): Promise<string> => {
    const at = [`@${region.address('staging')}`, '-p', String(DNS_PORT)];
    return (await runProgram(findComponent('dig') as string, ['+noedns', ...at, ...words])).stdout;
  };

  test('dig gives the SRV line of the document and the node’s address in ADDITIONAL', async () => {
    const said = await dig(NAME, 'SRV');
    expect(said).toContain('status: NOERROR');
    expect(said).toContain('flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1');
    const [, answer, additional] = /ANSWER SECTION:\n(.+)\n\n;; ADDITIONAL SECTION:\n(.+)\n/.exec(said) ?? [];
    expect(answer).toMatch(/^elasticsearch\.service\.consul\.\s+0\s+IN\s+SRV\s+1 1 9200 staging\.node\.aws\.consul\.$/);
    expect(additional?.split(/\s+/)).toEqual(['staging.node.aws.consul.', '0', 'IN', 'A', region.address('staging')]);
  });

  test('dig gets NXDOMAIN within interval plus 1 s when the stand-in is stopped, and its answer back when it starts', async () => {
    await region.end('elasticsearch', 'staging');
    const stoppedAt = performance.now();
    const gone = await until('the name is gone', async () => {
      const said = await dig(NAME, 'SRV');
      return said.includes('status: NXDOMAIN') ? said : null;
    });
    expect(performance.now() - stoppedAt).toBeLessThan(INTERVAL_MS + 1_000);
    expect(gone).toContain('ANSWER: 0, AUTHORITY: 1');
    expect(gone).toMatch(/^consul\.\s+0\s+IN\s+SOA\s/m);
    await region.start('elasticsearch', 'staging');
    const startedAt = performance.now();
    await until('the name is back', async () => (await dig(NAME, 'SRV')).includes('1 1 9200 staging.node.aws.consul.'));
    expect(performance.now() - startedAt).toBeLessThan(INTERVAL_MS + 1_000);
  });
});
