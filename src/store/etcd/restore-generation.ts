import type { Clock } from '../../lib/index.ts';
import type { Entry, Revision } from '../contract.ts';
import { badRestore } from '../errors.ts';
import { EtcdCallFailed, type EtcdClient, type TxnRequestInit } from './client.ts';
import type { Era } from './era.ts';
import { Compare_CompareResult as Result } from './generated/rpc_pb.ts';
import type { TxnResponse } from './generated/rpc_pb.ts';
import { bytesOf, claimKey, LAYOUT, META_KEY, prefixOf, rawPrefix } from './keys.ts';
import { formatMeta, parseMeta } from './meta.ts';
import { originWrites } from './origins.ts';
import { modCompare, type OpInit, pointerCompare } from './translate.ts';
import { unclaimed } from './sweep-generations.ts';

const CLAIM_TTL_SECONDS = 60;
const RENEW_MS = 15_000;
const AT_ONCE = 8;
const IN_A_TXN = { writes: 100, bytes: 1_000_000 } as const;
const TRIES = 5;
const PAUSE_MS = 500;
/** It is no hurry: an etcd under such a load is slow. */
const PATIENT = { timeoutMs: 30_000 } as const;
/** A few revisions may be given out between the last look and the flip. */
const CLOSE = 50;
/** So many are not: then nobody has to be kept from writing meanwhile. */
const FAR = 1_000_000;
/** The old generation goes with the flip when it has no more keys. */
const FEW = 1_000;

export interface RestoreOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  /** What holds now. */
  readonly era: Era;
  readonly entries: readonly Entry[];
  readonly revision: Revision;
  /**
   * For a store that no server runs on: it may go on at a revision that it has given out already. etcd's own revision at which it was
   * looked at; nothing was written to it since.
   */
  readonly startsOver?: bigint;
}

/**
 * Writes the entries as a new generation and then, in one transaction, makes it the one that holds. Until then nothing has changed,
 * whatever happens; after it nobody can write to the old one, since every write compares the pointer.
 *
 * @throws STORE_BAD_RESTORE, EtcdCallFailed: nothing was changed
 */
export async function restoreGeneration(options: RestoreOptions): Promise<void> {
  const { client, clock } = options;
  const lease = (await client.leaseGrant(CLAIM_TTL_SECONDS)).ID;
  const ended = new AbortController();
  const renewing = renew(client, clock, lease, ended.signal);
  try {
    const claim = await claimGeneration(options, lease);
    await fill(options, claim);
    await flip(options, claim);
  } finally {
    ended.abort();
    await renewing;
    // The claim goes with it: what was filled for nothing can be swept.
    await client.leaseRevoke(lease).catch(() => {});
  }
}

interface Claim {
  readonly generation: number;
  readonly modRevision: bigint;
}

async function renew(client: EtcdClient, clock: Clock, lease: bigint, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(RENEW_MS, signal).catch(() => {});
    if (!signal.aborted) await client.leaseKeepAlive(lease).catch(() => {});
  }
}

/** The next generation of which there is nothing yet. */
async function claimGeneration({ client, era }: RestoreOptions, lease: bigint): Promise<Claim> {
  for (let generation = era.pointer.generation + 1; ; generation++) {
    const data = rawPrefix(prefixOf(generation));
    const key = bytesOf(claimKey(generation));
    const { header, succeeded } = await client.txn({
      compare: [unclaimed(generation), { ...modCompare(data.key, Result.LESS, 1n), rangeEnd: data.rangeEnd }],
      success: [{ request: { case: 'requestPut', value: { key, value: bytesOf('being restored'), lease } } }],
    });
    if (succeeded) return { generation, modRevision: header?.revision ?? 0n };
  }
}

/** Puts everything where nobody looks yet. */
async function fill({ client, clock, entries }: RestoreOptions, claim: Claim): Promise<void> {
  const requests = [...entryWrites(entries, claim.generation), ...originWrites(entries, claim.generation)].values();
  const compare = [claimed(claim)];
  const work = async (): Promise<void> => {
    for (const success of requests) {
      const { succeeded } = await sure(client, clock, { compare, success });
      if (!succeeded) throw badRestore('its claim of a new generation was lost: etcd was away for too long');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function* entryWrites(entries: readonly Entry[], generation: number): Generator<OpInit[]> {
  const prefix = prefixOf(generation);
  let [ops, bytes]: [OpInit[], number] = [[], 0];
  for (const entry of entries) {
    const value = Buffer.from(entry.value);
    const key = bytesOf(prefix + entry.key);
    if (ops.length > 0 && (ops.length >= IN_A_TXN.writes || bytes + key.length + value.length > IN_A_TXN.bytes)) {
      yield ops;
      [ops, bytes] = [[], 0];
    }
    ops.push({ request: { case: 'requestPut', value: { key, value } } });
    bytes += key.length + value.length;
  }
  if (ops.length > 0) yield ops;
}

async function flip(options: RestoreOptions, claim: Claim): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { startsOver } = options;
    const present = startsOver ?? (await presentRevision(options));
    const distance = lowest(options) - options.era.revision(present);
    if (startsOver === undefined && distance <= CLOSE)
      throw badRestore(`the store has come to revision ${options.era.revision(present)} meanwhile`);
    const compare = [
      pointerCompare(options.era),
      claimed(claim),
      ...(startsOver === undefined && distance > FAR ? [] : [untouchedSince(options, present)]),
    ];
    const request = { compare, success: [...(await flipWrites(options, claim))] };
    if (await flipped(options, claim, request)) return;
    if (tries >= TRIES || startsOver !== undefined) throw badRestore('others write all the time, or restore as well');
  }
}

async function flipWrites({ client, era, revision }: RestoreOptions, { generation }: Claim): Promise<OpInit[]> {
  const value = formatMeta({ layout: LAYOUT, generation, revision });
  const old = rawPrefix(era.prefix);
  const { count } = await client.range({ ...old, countOnly: true }, PATIENT);
  const few: OpInit[] = count > FEW ? [] : [{ request: { case: 'requestDeleteRange', value: old } }];
  return [
    { request: { case: 'requestPut', value: { key: bytesOf(META_KEY), value } } },
    { request: { case: 'requestDeleteRange', value: { key: bytesOf(claimKey(generation)) } } },
    ...few,
  ];
}

/** Whether it was done. When the answer did not come it is made sure that it cannot be done any more, and looked. */
async function flipped({ client, clock }: RestoreOptions, claim: Claim, request: TxnRequestInit): Promise<boolean> {
  try {
    return (await client.txn(request, PATIENT)).succeeded;
  } catch (error) {
    if (!(error instanceof EtcdCallFailed) || error.outcome === 'none') throw error;
    const key = bytesOf(claimKey(claim.generation));
    await sure(client, clock, { success: [{ request: { case: 'requestDeleteRange', value: { key } } }] });
    const { kvs } = await client.range({ key: bytesOf(META_KEY) });
    if (kvs[0] !== undefined && parseMeta(kvs[0]).generation === claim.generation) return true;
    throw error;
  }
}

/** For writes that may be done twice. */
async function sure(client: EtcdClient, clock: Clock, request: TxnRequestInit): Promise<TxnResponse> {
  for (let tries = 1; ; tries++) {
    try {
      return await client.txn(request, PATIENT);
    } catch (error) {
      const mayPass = error instanceof EtcdCallFailed && (error.kind === 'unavailable' || error.kind === 'timeout');
      if (error instanceof EtcdCallFailed && error.kind === 'invalid') throw badRestore(error.message);
      if (!mayPass || tries >= TRIES) throw error;
      await clock.sleep(PAUSE_MS);
    }
  }
}

async function presentRevision({ client }: RestoreOptions): Promise<bigint> {
  return (await client.range({ key: bytesOf(META_KEY), keysOnly: true })).header?.revision ?? 0n;
}

function lowest({ entries, revision }: RestoreOptions): Revision {
  return entries.reduce((least, { createRevision }) => Math.min(least, createRevision), revision);
}

function claimed({ generation, modRevision }: Claim): ReturnType<typeof modCompare> {
  return modCompare(bytesOf(claimKey(generation)), Result.EQUAL, modRevision);
}

/** That nothing of the old generation was put since: revisions would have been given out. */
function untouchedSince({ era }: RestoreOptions, present: bigint): ReturnType<typeof modCompare> {
  const { key, rangeEnd } = rawPrefix(era.prefix);
  return { ...modCompare(key, Result.LESS, present + 1n), rangeEnd };
}
