import { expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { DockerClient } from './docker-client.ts';
import { dockerExec, execEnded } from './docker-exec.ts';
import { streamFrame, startTestEngine, type EngineAnswer } from './testing.ts';

const json =
  (value: unknown, status = 200): EngineAnswer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

test('DockerClient.json() sends JSON and gives the answer', async () => {
  await using engine = await startTestEngine({
    'GET /version': json({ Version: '20.10' }),
    'POST /containers/a/start': (_request, response) => void response.writeHead(204).end(),
  });
  const docker = new DockerClient({ socketPath: engine.socketPath });
  expect(await docker.json({ path: '/version' })).toEqual({ Version: '20.10' });
  expect(await docker.json({ method: 'POST', path: '/containers/a/start', body: { x: 'é' } })).toBeUndefined();
  expect(engine.asked).toEqual(['GET /version', 'POST /containers/a/start {"x":"é"}']);
});

test.each<[string, EngineAnswer, string]>([
  ['with its text', json({ message: 'No such container: web\n' }, 404), 'Docker answers 404: No such container: web'],
  ['without one', (_request, response) => void response.writeHead(500).end('oops'), 'Docker answers 500: oops'],
  ['with nothing', (_request, response) => void response.writeHead(301).end(), 'Docker answers 301: '],
])('DockerClient.json() throws what the engine refuses %s', async (_what, answer, message) => {
  await using engine = await startTestEngine({ 'GET /x': answer });
  const docker = new DockerClient({ socketPath: engine.socketPath });
  await expect(docker.json({ path: '/x' })).rejects.toMatchObject({ code: 'DOCKER_REFUSED', message });
});

test.each<[string, EngineAnswer]>([
  ['no JSON', (_request, response) => void response.end('<html>')],
  ['too long', (_request, response) => void response.end(`"${'x'.repeat(4_300_000)}"`)],
])('DockerClient.json() refuses an answer that is %s', async (_what, answer) => {
  await using engine = await startTestEngine({ 'GET /x': answer });
  const docker = new DockerClient({ socketPath: engine.socketPath });
  await expect(docker.json({ path: '/x' })).rejects.toMatchObject({ code: 'DOCKER_ANSWER_UNREADABLE' });
});

test('DockerClient.json() ends with its signal, and throws when nobody is there', async () => {
  await using engine = await startTestEngine({ 'GET /slow': () => undefined });
  const docker = new DockerClient({ socketPath: engine.socketPath });
  const asking = docker.json({ path: '/slow', signal: AbortSignal.timeout(20) });
  await expect(asking).rejects.toThrow(/abort/i);
  const nobody = new DockerClient({ socketPath: `${engine.socketPath}.none` });
  await expect(nobody.json({ path: '/version' })).rejects.toThrow('ENOENT');
});

function execEngine(result: object, output: EngineAnswer): Parameters<typeof startTestEngine>[0] {
  return {
    'POST /containers/a%2Fb/exec': json({ Id: 'e1' }, 201),
    'POST /exec/e1/start': output,
    'GET /exec/e1/json': json(result),
  };
}

test('dockerExec() runs a program and keeps the end of its output', async () => {
  const output: EngineAnswer = (_request, response) => {
    response.write(streamFrame(1, '0123456789'));
    response.end(streamFrame(2, 'err'));
  };
  await using engine = await startTestEngine(execEngine({ Running: false, ExitCode: 2 }, output));
  const docker = new DockerClient({ socketPath: engine.socketPath });
  const { signal } = new AbortController();
  const ids: string[] = [];
  const exec = { container: 'a/b', args: ['check', '-v'], outputLimit: 5, signal, clock: systemClock };
  expect(await dockerExec(docker, { ...exec, onCreated: (id) => ids.push(id) })).toEqual({
    exitCode: 2,
    output: '89err',
    outputBytes: 13,
  });
  expect(ids).toEqual(['e1']);
  expect(engine.asked[0]).toContain('{"AttachStdout":true,"AttachStderr":true,"Cmd":["check","-v"]}');
});

test.each([
  ['no id', { 'POST /containers/c/exec': json({}) }, 'it has no Id'],
  ['no JSON object', { 'POST /containers/c/exec': json(null) }, 'it has no Id'],
  ['no container', {}, 'Docker answers 404'],
])('dockerExec() throws when the engine has %s', async (_what, answers, message) => {
  await using engine = await startTestEngine(answers as Parameters<typeof startTestEngine>[0]);
  const docker = new DockerClient({ socketPath: engine.socketPath });
  const { signal } = new AbortController();
  const exec = { container: 'c', args: ['x'], outputLimit: 5, signal, clock: systemClock };
  await expect(dockerExec(docker, exec)).rejects.toThrow(message);
});

test('dockerExec() waits for a program that goes on after its output, until its signal', async () => {
  let asked = 0;
  await using engine = await startTestEngine({
    ...execEngine({}, (_request, response) => void response.end()),
    'GET /exec/e1/json': (_request, response) =>
      void response.end(JSON.stringify({ Running: ++asked < 3, ExitCode: 7 })),
  });
  const docker = new DockerClient({ socketPath: engine.socketPath });
  const exec = { container: 'a/b', args: ['x'], outputLimit: 5, clock: systemClock };
  expect(await dockerExec(docker, { ...exec, signal: AbortSignal.timeout(10_000) })).toMatchObject({ exitCode: 7 });
  asked = -1_000_000;
  await expect(dockerExec(docker, { ...exec, signal: AbortSignal.timeout(60) })).rejects.toThrow(/abort/i);
});

test.each([
  [{ Running: true, ExitCode: null }, false],
  [{ Running: false, ExitCode: 0 }, true],
])('execEnded() of %j is %s', async (seen, expected) => {
  await using engine = await startTestEngine({ 'GET /exec/e/json': json(seen) });
  const docker = new DockerClient({ socketPath: engine.socketPath });
  expect(await execEnded(docker, 'e', new AbortController().signal)).toBe(expected);
});

test('execEnded() is true of what the engine does not know any more', async () => {
  await using engine = await startTestEngine({});
  const docker = new DockerClient({ socketPath: engine.socketPath });
  expect(await execEnded(docker, 'e', new AbortController().signal)).toBe(true);
});
