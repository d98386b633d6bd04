import type { Command } from './command.ts';

/** Every command by name, loaded only when it is asked for: one file per command. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  agent: async () => (await import('./commands/agent.ts')).agent,
  'service:apply': async () => (await import('./commands/service-apply.ts')).serviceApply,
  'service:list': async () => (await import('./commands/service-list.ts')).serviceList,
  'service:show': async () => (await import('./commands/service-show.ts')).serviceShow,
  'service:log': async () => (await import('./commands/service-log.ts')).serviceLog,
  'service:remove': async () => (await import('./commands/service-remove.ts')).serviceRemove,
  'datastore:set': async () => (await import('./commands/datastore-set.ts')).datastoreSet,
  'datastore:list': async () => (await import('./commands/datastore-list.ts')).datastoreList,
  'datastore:log': async () => (await import('./commands/datastore-log.ts')).datastoreLog,
  'datastore:remove': async () => (await import('./commands/datastore-remove.ts')).datastoreRemove,
  'datastore:import': async () => (await import('./commands/datastore-import.ts')).datastoreImport,
  env: async () => (await import('./commands/env.ts')).env,
  exec: async () => (await import('./commands/exec.ts')).exec,
  'listener:status': async () => (await import('./commands/listener-status.ts')).listenerStatus,
  'listener:on': async () => (await import('./commands/listener-on.ts')).listenerOn,
  'listener:off': async () => (await import('./commands/listener-off.ts')).listenerOff,
  provision: async () => (await import('./commands/provision.ts')).provision,
  'node:list': async () => (await import('./commands/node-list.ts')).nodeList,
  'node:show': async () => (await import('./commands/node-show.ts')).nodeShow,
  'check:log': async () => (await import('./commands/check-log.ts')).checkLog,
  'node:maintenance': async () => (await import('./commands/node-maintenance.ts')).nodeMaintenance,
  'kv:get': async () => (await import('./commands/kv-get.ts')).kvGet,
  'kv:put': async () => (await import('./commands/kv-put.ts')).kvPut,
  'kv:delete': async () => (await import('./commands/kv-delete.ts')).kvDelete,
  'kv:log': async () => (await import('./commands/kv-log.ts')).kvLog,
  'kv:diff': async () => (await import('./commands/kv-diff.ts')).kvDiff,
  'kv:undo': async () => (await import('./commands/kv-undo.ts')).kvUndo,
  'kv:list': async () => (await import('./commands/kv-list.ts')).kvList,
  'dns:resolve': async () => (await import('./commands/dns-resolve.ts')).dnsResolve,
  'event:fire': async () => (await import('./commands/event-fire.ts')).eventFire,
  'event:list': async () => (await import('./commands/event-list.ts')).eventList,
  watch: async () => (await import('./commands/watch.ts')).watch,
  'watch:test': async () => (await import('./commands/watch-test.ts')).watchTest,
  trace: async () => (await import('./commands/trace.ts')).trace,
  'snapshot:save': async () => (await import('./commands/snapshot-save.ts')).snapshotSave,
  'snapshot:inspect': async () => (await import('./commands/snapshot-inspect.ts')).snapshotInspect,
  'snapshot:restore': async () => (await import('./commands/snapshot-restore.ts')).snapshotRestore,
  leave: async () => (await import('./commands/leave.ts')).leave,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  version: async () => (await import('./commands/version.ts')).version,
};

/** Every command, loaded, in the order of the table. */
export async function loadCommands(): Promise<ReadonlyMap<string, Command>> {
  const entries = Object.entries(COMMANDS).map(async ([name, load]): Promise<[string, Command]> => [
    name,
    await load(),
  ]);
  return new Map(await Promise.all(entries));
}
