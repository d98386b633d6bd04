import { expect, test } from 'vitest';
import { ALL_ALLOWED } from '../access/index.ts';
import { PreparedQueries, type PreparedQueryRecord, PreparedState } from '../registry/index.ts';
import { catalogOf } from '../registry/testing.ts';
import { preparedForDns } from './prepared-for-dns.ts';

const RECORD: PreparedQueryRecord = {
  id: 'free',
  name: 'free',
  session: '',
  accessor: '',
  template: null,
  dnsTtl: '',
  service: {
    service: 'web',
    tags: [],
    nodeMeta: {},
    serviceMeta: {},
    onlyPassing: false,
    ignoreCheckIds: [],
    near: '',
    connect: false,
    failover: { nearestN: 0, datacenters: [], targets: [] },
  },
};

test('preparedForDns() gives a query that has a token what that token may see, and others nothing of the kind', () => {
  const state = new PreparedState();
  const records = [RECORD, { ...RECORD, id: 'bound', name: 'bound', accessor: 'a1' }];
  state.load(
    records.map((record) => ({
      key: `pq/${record.id}`,
      value: JSON.stringify(record),
      createRevision: 2,
      modRevision: 2,
    })),
    2,
  );
  const catalog = catalogOf({ nodes: [{ name: 'n1', services: ['web'] }] });
  const preparedQueries = new PreparedQueries({ state, catalog, agent: 'n1' });
  const authorityOfAccessor = (accessor: string): typeof ALL_ALLOWED => ({ ...ALL_ALLOWED, accessor });
  const queries = preparedForDns({ preparedQueries, acl: { access: { authorityOfAccessor } } });
  expect(queries.execute('free', { source: '' })).toMatchObject({ service: 'web', instances: [{}] });
  expect(queries.execute('free', { source: '' })?.authority).toBeUndefined();
  expect(queries.execute('bound', { source: '' })?.authority?.accessor).toBe('a1');
  expect(queries.execute('other', { source: '' })).toBeUndefined();
});
