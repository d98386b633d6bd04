import { expect, test } from 'vitest';
import { dockerHostOf } from './docker-host.ts';

test.each([
  [{}, { socketPath: '/var/run/docker.sock' }],
  [{ DOCKER_HOST: '' }, { socketPath: '/var/run/docker.sock' }],
  [{ DOCKER_HOST: 'unix:///run/user/1000/docker.sock' }, { socketPath: '/run/user/1000/docker.sock' }],
  [{ DOCKER_HOST: 'tcp://127.0.0.1:2400' }, { host: '127.0.0.1', port: 2400 }],
  [{ DOCKER_HOST: 'tcp://engine:80/' }, { host: 'engine', port: 80 }],
  [{ DOCKER_HOST: 'tcp://engine' }, { host: 'engine', port: 2375 }],
  [{ DOCKER_HOST: 'tcp://[::1]:2400' }, { host: '::1', port: 2400 }],
])('dockerHostOf(%j) is %j', (environment, expected) => {
  expect(dockerHostOf(environment)).toEqual(expected);
});

test.each([
  { DOCKER_HOST: 'ssh://root@engine' },
  { DOCKER_HOST: 'unix://' },
  { DOCKER_HOST: 'unix://relative' },
  { DOCKER_HOST: 'tcp://' },
  { DOCKER_HOST: 'docker' },
  { DOCKER_HOST: 'tcp://engine:2376', DOCKER_TLS_VERIFY: '1' },
])('dockerHostOf(%j) is refused', (environment) => {
  expect(() => dockerHostOf(environment)).toThrow(/is neither unix:\/\/\/path nor tcp:\/\/host:port/);
});
