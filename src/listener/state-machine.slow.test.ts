import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TIMING } from '../lib/index.ts';
import { listenerWants } from '../registry/index.ts';
import type { NodeView } from '../registry/index.ts';
import { decide } from './decide.ts';
import type { Decision } from './decide.ts';
import { receiptFor, receiptOfEnd } from './receipts.ts';
import type { ListenerReceipt } from './receipts.ts';
import { INITIAL_STATE } from './state.ts';
import type { ListenerState, ProvisionRun } from './state.ts';
import { viewOf } from './testing.ts';
import { ended, forcedBy, noticed, started, turned } from './transitions.ts';

const timing = TIMING.local;

/** A node on a clock of its own: runs take as long as the test says. */
class Simulation {
  now = 0;
  revision = 0;
  views: NodeView[] = [];
  state: ListenerState = INITIAL_STATE;
  foreign = false;
  runs: { readonly startedAt: number; endedAt: number | null; readonly view: NodeView; succeeded: boolean | null }[] =
    [];
  receipts: ListenerReceipt[] = [];
  lastChangeAt = 0;

  get view(): NodeView {
    return this.views.at(-1) as NodeView;
  }

  change(api: string, redis: string | null): void {
    const view = viewOf(++this.revision, { assigned: { api }, registered: redis === null ? {} : { redis } });
    if (this.views.length === 0 || this.view.listener.services['api']?.digest !== api) this.lastChangeAt = this.now;
    this.views.push(view);
    this.state = noticed(this.state, view, this.now);
    this.#proceed();
  }

  act(next: (state: ListenerState) => ListenerState): void {
    this.state = next(this.state);
    this.#proceed();
  }

  /** From one moment at which the decision changes to the next. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let next = this.#until(); next <= end; next = this.#until()) {
      this.now = next;
      this.#proceed();
    }
    this.now = end;
    this.#proceed();
  }

  #until(): number {
    const decision = this.#decide();
    return 'until' in decision ? decision.until : Number.POSITIVE_INFINITY;
  }

  #decide(): Decision {
    const foreign = this.foreign ? 'pid 7' : null;
    return decide({ state: this.state, now: this.now, timing, foreign });
  }

  finish(succeeded: boolean): void {
    const { running } = this.state;
    const run = this.runs.at(-1);
    if (running === null || run === undefined) return;
    run.endedAt = this.now;
    run.succeeded = succeeded;
    const result = { id: running.id, succeeded, result: 'exit' } as ProvisionRun;
    this.state = ended(this.state, result, this.now);
    this.receipts.push(receiptOfEnd(result, running.covers, null));
    this.#checkReceipt();
    this.#proceed();
  }

  #proceed(): void {
    if (this.views.length === 0) return;
    const decision = this.#decide();
    if (decision.type === 'start') this.#start();
    const { state, now, revision } = this;
    const wallOf = (moment: number): number => moment;
    const receipt = receiptFor({ state, decision, revision, failedUpTo: -1, wallOf, now, notableMs: 0 });
    if (receipt) this.receipts.push(receipt);
    this.#checkReceipt();
  }

  #start(): void {
    expect(this.foreign).toBe(false);
    expect(this.state.enabled).toBe(true);
    // Two never overlap.
    expect(this.runs.every((run) => run.endedAt !== null)).toBe(true);
    this.runs.push({ startedAt: this.now, endedAt: null, view: this.view, succeeded: null });
    this.state = started(this.state, this.view, { id: String(this.runs.length), wallMs: 0 }, this.now);
  }

  /** Never early: `applied` and `unchanged` at r need a last run that succeeded and wants nothing of r. */
  #checkReceipt(): void {
    const receipt = this.receipts.at(-1);
    if (receipt?.outcome !== 'applied' && receipt?.outcome !== 'unchanged') return;
    const view = this.views.find(({ revision }) => revision === receipt.revision) as NodeView;
    const last = this.runs.findLast((run) => run.endedAt !== null);
    expect(last?.succeeded).toBe(true);
    expect(last?.view.listener.services['api']?.digest).toBe(view.listener.services['api']?.digest);
  }
}

const command = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('change' as const), fc.constantFrom('a', 'b', 'c')) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('scale' as const), fc.constantFrom('x', 'y', null)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('pass' as const), fc.integer({ min: 10, max: 700 })) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('finish' as const), fc.boolean()) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('turn' as const), fc.boolean()) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('force' as const), fc.boolean()) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('foreign' as const), fc.boolean()) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

function apply(simulation: Simulation, [what, with_]: Command, at: { api: string; redis: string | null }): void {
  if (what === 'change') simulation.change((at.api = with_), at.redis);
  else if (what === 'scale') simulation.change(at.api, (at.redis = with_));
  else if (what === 'pass') simulation.pass(with_);
  else if (what === 'finish') simulation.finish(with_);
  else if (what === 'turn') simulation.act((state) => turned(state, with_));
  else if (what === 'force') simulation.act((state) => forcedBy(state, { cause: 'provision', skipSettle: with_ }));
  else if (simulation.state.running === null) simulation.foreign = with_;
}

function played(commands: readonly Command[]): Simulation {
  const simulation = new Simulation();
  const at = { api: 'first', redis: null };
  simulation.change(at.api, at.redis);
  for (const one of commands) apply(simulation, one, at);
  return simulation;
}

/** Nothing is in the way any more and every run succeeds. */
function calm(simulation: Simulation): void {
  simulation.foreign = false;
  for (let turn = 0; turn < 4; turn++) {
    simulation.pass(6_000);
    simulation.finish(true);
  }
}

test('Listener ends up with a successful run of the last inputs, after any changes and runs', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const simulation = played(commands);
      simulation.act((state) => turned(state, true));
      calm(simulation);
      const last = simulation.runs.at(-1);
      expect(last?.succeeded).toBe(true);
      expect(simulation.state).toMatchObject({ running: null, wanted: null, forced: null, failed: null });
      expect(
        listenerWants(last?.view.listener ?? null, simulation.view.listener).causes.filter((cause) =>
          cause.includes('api'),
        ),
      ).toEqual([]);
      expect(simulation.receipts.at(-1)).toMatchObject({ revision: simulation.revision });
    }),
    { numRuns: 300 },
  );
});

test('Listener starts its last run after the last change, unless that took back what was not provisioned yet', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), fc.integer({ min: 0, max: 1e9 }), (commands, fresh) => {
      const simulation = played(commands);
      simulation.act((state) => turned(state, true));
      simulation.change(`never seen before ${fresh}`, null);
      calm(simulation);
      expect(simulation.runs.at(-1)?.startedAt).toBeGreaterThanOrEqual(simulation.lastChangeAt);
      expect(simulation.runs.at(-1)?.view.revision).toBe(simulation.revision);
    }),
    { numRuns: 200 },
  );
});

test('Listener makes exactly one run of off, anything, on', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
      const simulation = new Simulation();
      simulation.change('first', null);
      calm(simulation);
      simulation.act((state) => turned(state, false));
      const before = simulation.runs.length;
      const at = { api: 'first', redis: null };
      for (const one of commands) if (one[0] !== 'turn') apply(simulation, one, at);
      expect(simulation.runs.length).toBe(before);
      simulation.foreign = false;
      simulation.act((state) => turned(state, true));
      calm(simulation);
      expect(simulation.runs.length).toBe(before + 1);
    }),
    { numRuns: 100 },
  );
});
