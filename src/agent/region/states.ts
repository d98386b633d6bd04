import { AclState } from '../../access/index.ts';
import { EventLog } from '../../event/index.ts';
import { Kv, Sessions } from '../../kv/index.ts';
import { SlotState } from '../../listener/index.ts';
import { Catalog, type Indexed, indexOf, KnownServers, PREPARED_TOPIC, PreparedState } from '../../registry/index.ts';
import { AlarmState } from '../liveness/index.ts';
import { reportTo, type RegionOptions } from './region-options.ts';

/** What a server keeps of the store in memory: each follows the families of keys that it knows. */
export interface States {
  readonly catalog: Catalog;
  readonly kv: Kv;
  readonly sessions: Sessions;
  readonly preparedState: PreparedState;
  readonly eventLog: EventLog;
  readonly aclState: AclState;
  readonly known: KnownServers;
  readonly alarms: AlarmState;
  readonly slots: SlotState;
}

/** All of them, empty: the feed fills them. */
export function newStates({ name, clock, log }: Pick<RegionOptions, 'name' | 'clock' | 'log'>): States {
  const report = reportTo(log);
  return {
    catalog: new Catalog({ region: name, report }),
    kv: new Kv({ report }),
    sessions: new Sessions({ clock, report }),
    preparedState: new PreparedState({ report }),
    eventLog: new EventLog({ report }),
    aclState: new AclState({ report }),
    known: new KnownServers({ report }),
    alarms: new AlarmState({ report }),
    slots: new SlotState({ report }),
  };
}

/** Which revision touched a topic last, whoever keeps it. */
export function indexOfStates({ catalog, kv, sessions, preparedState, aclState }: States): Indexed['index'] {
  return indexOf(
    [
      ['kv/', kv],
      ['sess', sessions],
      [PREPARED_TOPIC, preparedState],
      ['acl/', aclState],
    ],
    catalog,
  );
}
