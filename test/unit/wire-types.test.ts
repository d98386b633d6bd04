import type { z } from 'zod';
import { expectTypeOf, test } from 'vitest';
import type * as wire from '../../client/src/index.ts';
import type * as schemas from '../../src/api/v2/schemas.ts';

type Answer<Name extends Exclude<keyof typeof schemas, 'COMPONENTS'>> = z.output<(typeof schemas)[Name]>;

/** What the server is typed to send is what the client says it gets; checked by `tsc`. */
test('what /v2 answers has the form that the client knows', () => {
  expectTypeOf<Answer<'statusSchema'>>().toExtend<wire.WireStatus>();
  expectTypeOf<Answer<'serviceSchema'>>().toExtend<wire.WireService>();
  expectTypeOf<Answer<'serviceDetailSchema'>>().toExtend<wire.WireServiceDetail>();
  expectTypeOf<Answer<'nodeSchema'>>().toExtend<wire.WireNode>();
  expectTypeOf<Answer<'appliedSchema'>>().toExtend<wire.WireApplied>();
  expectTypeOf<Answer<'datastoreSchema'>>().toExtend<wire.WireDatastore>();
  expectTypeOf<Answer<'environmentSchema'>>().toExtend<wire.WireEnvironment>();
  expectTypeOf<Answer<'listenerSchema'>>().toExtend<wire.WireListener>();
  expectTypeOf<Answer<'traceConsumerSchema'>>().toExtend<wire.WireTraceConsumer>();
  expectTypeOf<Answer<'traceSchema'>>().toExtend<wire.WireTrace>();
  expectTypeOf<Answer<'convergedSchema'>>().toExtend<wire.WireConverged>();
  expectTypeOf<Answer<'eventSchema'>>().toExtend<{ type: wire.WireEvent['type']; revision: number }>();
  expectTypeOf<Answer<'whySchema'>>().toExtend<wire.WireWhy>();
  expectTypeOf<Answer<'errorSchema'>['error']>().toExtend<wire.WireError>();
});
