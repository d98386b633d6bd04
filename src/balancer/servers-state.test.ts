import { describe, expect, it } from 'vitest';
import { isDrained, isInMaintenance, isInRotation, parseServersState } from './servers-state.ts';
import { testServer } from './testing.ts';

const HEADER =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';
const ROWS = [
  '3 api 1 api-1:2Fapi 127.0.0.1 2 0 100 100 0 1 0 2 0 0 0 0 - 21101 - 0 0 - - 0',
  '3 api 2 x:2Fy ::1 0 9 50 100 0 1 0 0 0 0 0 0 - 2000 - 0 0 - - 0',
];

describe('parseServersState()', () => {
  it('reads the servers, also after other answers', () => {
    const text = `New server registered.\n\n\n1\n${HEADER}\n${ROWS.join('\n')}\n\n`;
    expect(parseServersState(text)).toEqual([
      testServer('api-1:2Fapi', { port: 21_101 }),
      testServer('x:2Fy', { address: '::1', port: 2_000, operational: 0, admin: 9, weight: 50 }),
    ]);
  });

  it('takes columns by their names, wherever a later HAProxy has them', () => {
    const text =
      '1\n# be_id srv_port srv_uweight be_name srv_admin_state srv_name srv_op_state srv_addr\n1 80 7 b 1 s 2 10.0.0.1\n';
    expect(parseServersState(text)).toEqual([
      { backend: 'b', name: 's', address: '10.0.0.1', port: 80, operational: 2, admin: 1, weight: 7 },
    ]);
  });

  it('gives none for none, and null for what is no such answer', () => {
    expect(parseServersState(`1\n${HEADER}\n\n`)).toEqual([]);
    expect(parseServersState('')).toBeNull();
    expect(parseServersState('Permission denied\n')).toBeNull();
    expect(parseServersState('1\n# be_id be_name srv_id\n1 a 2\n')).toBeNull();
  });
});

describe('isInRotation()', () => {
  for (const [admin, expected] of [
    [0x00, [true, false, false]],
    [0x04, [true, false, false]],
    [0x01, [false, true, false]],
    [0x02, [false, true, false]],
    [0x20, [false, true, false]],
    [0x08, [false, false, true]],
    [0x10, [false, false, true]],
    [0x09, [false, true, true]],
  ] as const) {
    it(`with isInMaintenance() and isDrained() reads admin bits ${admin} as ${expected.join(', ')}`, () => {
      const server = testServer('x', { admin });
      expect([isInRotation(server), isInMaintenance(server), isDrained(server)]).toEqual(expected);
    });
  }
});
