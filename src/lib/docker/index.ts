export { Demultiplexer, type DockerOutput } from './demultiplex.ts';
export { DockerClient, type DockerRequest } from './docker-client.ts';
export { dockerExec, type DockerExec, type DockerExecResult, execEnded } from './docker-exec.ts';
export { type DockerHost, dockerHostOf } from './docker-host.ts';
export * from './errors.ts';
