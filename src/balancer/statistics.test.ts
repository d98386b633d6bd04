import { describe, expect, it } from 'vitest';
import { parseStatistics, sessionsByServer } from './statistics.ts';

const HEADER =
  '# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,';
const WORKER = `${HEADER}\napi,a:2Fx,0,0,2,3,,40,0,0,,0,,1,2,3,4,no check,100,\napi,b:2Fx,0,0,0,3,,7,0,0,,0,,0,0,0,0,MAINT,1,\n\n`;
const OLD_WORKER = `${HEADER}\napi,a:2Fx,0,0,5,5,,9,0,0,,0,,0,0,0,0,no check,100,\n\n`;

describe('parseStatistics()', () => {
  it('reads the counters of one answer', () => {
    expect(parseStatistics(WORKER)).toEqual([
      { backend: 'api', name: 'a:2Fx', sessions: 2, total: 40, failures: 10 },
      { backend: 'api', name: 'b:2Fx', sessions: 0, total: 7, failures: 0 },
    ]);
  });

  it('gives nothing for what is no such answer', () => {
    expect(parseStatistics('Unknown command: a,b,c,d,e,f,g,h,i,j,k,l,m\n')).toEqual([]);
    expect(parseStatistics('')).toEqual([]);
  });
});

describe('sessionsByServer()', () => {
  it('adds up what workers left by reloads still have in flight', () => {
    expect(sessionsByServer(parseStatistics(`${WORKER}\n${OLD_WORKER}`))).toEqual(
      new Map([
        ['api/a:2Fx', 7],
        ['api/b:2Fx', 0],
      ]),
    );
  });
});
