import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { denied } from '../access/index.ts';
import { FakeClock, TIMING } from '../lib/index.ts';
import { LinkPulse } from './link-pulse.ts';
import { openWebSocket } from './open-websocket.ts';
import { startTestEntrance, type AnyChannel } from './testing.ts';

const LIMITS = { messageBytes: 10_000, bufferedBytes: 100_000 };

/** What a channel got, in order, and why it ended. */
function listen(channel: AnyChannel): { readonly got: unknown[]; readonly closed: Promise<string> } {
  const got: unknown[] = [];
  const closed = new Promise<string>((resolve) => channel.onClose(resolve));
  channel.onMessage((message) => got.push(message));
  return { got, closed };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let waits = 0; !isSo() && waits < 2_000; waits++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(isSo()).toBe(true);
}

describe('WebSocketChannel', () => {
  test('WebSocketChannel carries messages both ways, in order', async () => {
    await using entrance = await startTestEntrance();
    const [near, far] = await entrance.pair();
    const [atNear, atFar] = [listen(near), listen(far)];
    for (let id = 0; id < 100; id++) near.send({ id });
    far.send({ text: 'ü€😀', nested: [null, { a: 1.5 }] });
    await until(() => atFar.got.length === 100 && atNear.got.length === 1);
    expect(atFar.got).toEqual(Array.from({ length: 100 }, (_one, id) => ({ id })));
    expect(atNear.got).toEqual([{ text: 'ü€😀', nested: [null, { a: 1.5 }] }]);
  });

  test('WebSocketChannel keeps what came before the handler was set', async () => {
    await using entrance = await startTestEntrance();
    const [near, far] = await entrance.pair();
    for (let id = 0; id < 50; id++) near.send({ id });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { got } = listen(far);
    for (let id = 50; id < 60; id++) near.send({ id });
    await until(() => got.length === 60);
    expect(got).toEqual(Array.from({ length: 60 }, (_one, id) => ({ id })));
  });

  test('WebSocketChannel.close() lets arrive what was sent before, and drops what is sent after', async () => {
    const property = fc.asyncProperty(fc.nat({ max: 20 }), fc.nat({ max: 5 }), async (before, after) => {
      await using entrance = await startTestEntrance();
      const [near, far] = await entrance.pair();
      const atFar = listen(far);
      for (let id = 0; id < before; id++) near.send({ id });
      near.close('enough');
      for (let id = 0; id < after; id++) near.send({ late: id });
      expect(await atFar.closed).toBe('enough');
      expect(atFar.got).toHaveLength(before);
    });
    await fc.assert(property, { numRuns: 8 });
  });

  test('WebSocketChannel.close() tells both ends once, and the near one nothing more that comes', async () => {
    await using entrance = await startTestEntrance();
    const [near, far] = await entrance.pair();
    const [atNear, atFar] = [listen(near), listen(far)];
    far.send('on its way');
    near.close('enough');
    near.close('again');
    expect([await atNear.closed, await atFar.closed]).toEqual(['enough', 'enough']);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(atNear.got).toEqual([]);
  });

  test('WebSocketChannel.onClose() tells of a close that came before, with a reason cut to what a frame takes', async () => {
    await using entrance = await startTestEntrance();
    const [near, far] = await entrance.pair();
    near.close('ü'.repeat(100));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await new Promise((resolve) => far.onClose(resolve))).toBe(`${'ü'.repeat(60)}…`);
  });

  test('WebSocketChannel tells when the connection breaks', async () => {
    await using entrance = await startTestEntrance();
    const [near] = await entrance.pair();
    const { closed } = listen(near);
    entrance.sockets[0]?.resetAndDestroy();
    expect(await closed).toMatch(/ECONNRESET|broke/);
  });
});

describe('WebSocketChannel bounds', () => {
  test('WebSocketChannel.send() closes the link when a message is larger than it takes', async () => {
    await using entrance = await startTestEntrance({ limits: LIMITS });
    const [near, far] = await entrance.pair();
    const { got, closed } = listen(far);
    near.send('a'.repeat(9_000));
    near.send('a'.repeat(10_001));
    expect(await closed).toBe('a message of 10003 characters is larger than a link takes');
    expect(got).toHaveLength(1);
  });

  test('WebSocketChannel closes when the other end sends more than it takes', async () => {
    await using entrance = await startTestEntrance({ limits: LIMITS });
    const [, far] = await entrance.pair();
    const { closed } = listen(far);
    // Past the sender's own bound, as another program would.
    entrance.sockets[0]?.emit('data', frame(Buffer.alloc(20_000, 97), 1));
    expect(await closed).toContain('Max payload size exceeded');
  });

  test('WebSocketChannel.send() cuts the link when the other end does not read', async () => {
    await using entrance = await startTestEntrance({ limits: { ...LIMITS, bufferedBytes: 50_000 } });
    const [near, far] = await entrance.pair();
    const { closed } = listen(far);
    const { closed: nearClosed } = listen(near);
    entrance.sockets[0]?.cork();
    for (let sent = 0; sent < 20; sent++) far.send('b'.repeat(5_000));
    expect(await closed).toMatch(/^the other end does not read: \d+ bytes wait for it$/);
    expect(await nearClosed).toMatch(/broke|ECONNRESET/);
  });
});

describe('WebSocketChannel and what is no message', () => {
  test.each<[string, Buffer, string]>([
    ['no JSON', frame(Buffer.from('{"a":'), 1), 'not a message of a link'],
    ['binary', frame(Buffer.from('{}'), 2), 'a message is not text'],
    ['not UTF-8', frame(Buffer.from([0xff, 0xfe]), 1), 'invalid UTF-8'],
    ['nested too deep', frame(Buffer.from(`${'['.repeat(1_000)}${']'.repeat(1_000)}`), 1), 'it nests too deep'],
    ['refused by the parser', frame(Buffer.from('{"type":"bad"}'), 1), 'not a message of a link: no good'],
    ['no frame of a WebSocket', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'Invalid WebSocket frame'],
    ['a handler’s stumbling block', frame(Buffer.from('{"type":"trap"}'), 1), 'a message could not be taken: trapped'],
  ])(
    'WebSocketChannel closes with the reason, and does not throw, when what comes is %s',
    async (_what, bytes, why) => {
      const parse = (value: unknown): unknown => {
        if ((value as { type?: string }).type === 'bad') throw new Error('no good');
        return value;
      };
      await using entrance = await startTestEntrance({ parse });
      const [, far] = await entrance.pair();
      const closed = new Promise<string>((resolve) => far.onClose(resolve));
      far.onMessage(() => {
        throw new Error('trapped');
      });
      entrance.sockets[0]?.emit('data', bytes);
      expect(await closed).toContain(why);
    },
  );
});

describe('WebSocketChannel and silence', () => {
  test('WebSocketChannel stays while both ends say nothing but signs of life', async () => {
    await using entrance = await startTestEntrance({ heartbeatMs: 20, suspectedAfterMs: 100 });
    const [near, far] = await entrance.pair();
    const reasons: string[] = [];
    for (const end of [near, far]) end.onClose((reason) => reasons.push(reason));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(reasons).toEqual([]);
  });

  test('WebSocketChannel is cut when nothing is heard for too long', async () => {
    const clock = new FakeClock();
    await using entrance = await startTestEntrance({ clock });
    const [near, far] = await entrance.pair();
    const { closed } = listen(far);
    near.beat = () => {};
    for (let seconds = 0; seconds < 5; seconds++) await clock.advance(1_000);
    expect(await closed).toMatch(/^nothing was heard from the other end for \d+ ms$/);
  });
});

describe('openWebSocket()', () => {
  test('openWebSocket() says who refused, in the server’s words', async () => {
    const admit = (): never => {
      throw denied('anonymous', 'node:write', 'a');
    };
    await using entrance = await startTestEntrance({ admit });
    await expect(entrance.open({ token: 'x' })).rejects.toMatchObject({
      code: 'LINK_UNREACHABLE',
      message: expect.stringContaining('Permission denied'),
    });
  });

  test('openWebSocket() lets go of a stranger that answers and keeps the connection open', async () => {
    const sockets = new Set<Socket>();
    const stranger = createServer((_request, response) => void response.writeHead(404).end());
    stranger.on('upgrade', (_request, socket: Socket) => {
      socket.resume();
      socket.once('end', () => socket.destroy());
      socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    });
    stranger.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    using pulse = new LinkPulse({ clock: new FakeClock(), timing: TIMING.lan });
    const url = `http://127.0.0.1:${port}`;
    await expect(openWebSocket({ url, path: '/v2/link', token: '', pulse, parse: (value) => value })).rejects.toThrow(
      '404',
    );
    await until(() => sockets.size === 0);
    stranger.close();
  });

  test('openWebSocket() rejects when nobody is there, and with the signal’s reason', async () => {
    const entrance = await startTestEntrance();
    await entrance[Symbol.asyncDispose]();
    await expect(entrance.open()).rejects.toThrow('ECONNREFUSED');
    await expect(entrance.open({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });
});

/** A frame as a client sends it (RFC 6455, 5.2), with a mask of zeros. */
function frame(payload: Buffer, opcode: number): Buffer {
  const length = payload.length;
  const header = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...header, 0, 0, 0, 0]), payload]);
}

describe('WebSocketEntrance', () => {
  test('WebSocketEntrance takes no more links of one address than it may have, and another when one has ended', async () => {
    await using entrance = await startTestEntrance({ mostOf: ({ secret }) => (secret === '' ? 2 : Infinity) });
    const [first] = await entrance.pair();
    await entrance.pair();
    await expect(entrance.open()).rejects.toThrow('127.0.0.1 has 2 links here already');
    expect(await entrance.open({ token: 's' })).toBeDefined();
    first.close('enough');
    await until(() => entrance.sockets[0]?.destroyed === true);
    expect(await entrance.open()).toBeDefined();
  });
});
