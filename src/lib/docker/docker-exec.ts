import type { Clock } from '../clock.ts';
import { OutputTail } from '../output-tail.ts';
import { Demultiplexer } from './demultiplex.ts';
import type { DockerClient } from './docker-client.ts';
import { dockerAnswerUnreadable } from './errors.ts';

/** How often the engine is asked whether a program that closed its output has ended. */
const END_POLL_MS = 50;

/** A program to run in a container that runs. */
export interface DockerExec {
  readonly container: string;
  readonly args: readonly string[];
  /** How many bytes of output are kept, the last ones. */
  readonly outputLimit: number;
  /** Stops waiting. The engine has no way to end a program: see `execEnded`. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Told the id before the program starts. */
  readonly onCreated?: (id: string) => void;
}

/** How it ended. */
export interface DockerExecResult {
  readonly exitCode: number;
  /** The end of stdout and stderr, in the order the engine has them. */
  readonly output: string;
  readonly outputBytes: number;
}

/** Runs a program in a container and resolves when it has ended. @throws DOCKER_REFUSED, DOCKER_ANSWER_UNREADABLE, errors of the connection, the signal's */
export async function dockerExec(docker: DockerClient, exec: DockerExec): Promise<DockerExecResult> {
  const { container, args, signal, outputLimit, clock } = exec;
  const created = await docker.json({
    method: 'POST',
    path: `/containers/${encodeURIComponent(container)}/exec`,
    body: { AttachStdout: true, AttachStderr: true, Cmd: args },
    signal,
  });
  const id = textOf(created, 'Id');
  exec.onCreated?.(id);
  const tail = await readOutput(docker, id, { outputLimit, signal });
  let exitCode = await exitCodeOf(docker, id, signal);
  // The output may end before the program, and the engine takes a moment to see that it has.
  while (exitCode === null) {
    await clock.sleep(END_POLL_MS, signal);
    exitCode = await exitCodeOf(docker, id, signal);
  }
  return { exitCode, output: tail.text(), outputBytes: tail.totalBytes };
}

/** Whether a program that was started has ended; also when the engine does not know it any more. @throws errors of the connection */
export async function execEnded(docker: DockerClient, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await exitCodeOf(docker, id, signal)) !== null;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'DOCKER_REFUSED') return true;
    throw error;
  }
}

async function readOutput(
  docker: DockerClient,
  id: string,
  { outputLimit, signal }: { readonly outputLimit: number; readonly signal: AbortSignal },
): Promise<OutputTail> {
  const path = `/exec/${encodeURIComponent(id)}/start`;
  const answer = await docker.stream({ method: 'POST', path, body: { Detach: false, Tty: false }, signal });
  const tail = new OutputTail(outputLimit);
  const frames = new Demultiplexer();
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (const { bytes } of frames.push(chunk)) tail.push(bytes);
  }
  return tail;
}

/** null while it runs. */
async function exitCodeOf(docker: DockerClient, id: string, signal: AbortSignal): Promise<number | null> {
  const seen = await docker.json({ path: `/exec/${encodeURIComponent(id)}/json`, signal });
  const { Running, ExitCode } = (seen ?? {}) as { Running?: unknown; ExitCode?: unknown };
  return Running === false && typeof ExitCode === 'number' ? ExitCode : null;
}

function textOf(value: unknown, key: string): string {
  const found: unknown = (value as Record<string, unknown> | null | undefined)?.[key];
  if (typeof found !== 'string') throw dockerAnswerUnreadable(`it has no ${key}`);
  return found;
}
