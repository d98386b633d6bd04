import { expect, test } from 'vitest';
import { boundOutput, describeNetworkError, headed, isOwnFailure } from './verdict.ts';

test('boundOutput() leaves a short output as it is', () => {
  expect(boundOutput('DISK OK - free space: / 3326 MB')).toBe('DISK OK - free space: / 3326 MB');
});

test('boundOutput() keeps the end of a long one and says so within the limit', () => {
  const bounded = boundOutput(`${'x'.repeat(5_000)}the end`);
  expect(bounded).toMatch(/^Captured 4096 of 5007 bytes\n\.\.\.\nx+the end$/);
  expect(Buffer.byteLength(bounded)).toBe(4_096);
});

test('boundOutput() says how much there was when it was cut before', () => {
  expect(boundOutput('x'.repeat(4_096), 4_096, 1_000_000)).toMatch(/^Captured 4096 of 1000000 bytes\n/);
});

test('boundOutput() leaves the line out where it would take most of the room', () => {
  expect(boundOutput('0123456789', 5)).toBe('56789');
});

test('headed() keeps what drover says whole', () => {
  expect(headed('Timed out: ', 'x'.repeat(100), 20)).toBe(`Timed out: ${'x'.repeat(9)}`);
  expect(headed('Timed out: ', 'x', 4)).toBe('Timed out: ');
});

test.each([
  ['EMFILE', true],
  ['EAGAIN', true],
  ['EADDRNOTAVAIL', true],
  ['ECONNREFUSED', false],
  ['ENOENT', false],
])('isOwnFailure() of %s is %s', (code, own) => {
  expect(isOwnFailure(Object.assign(new Error('x'), { code }))).toBe(own);
});

test('describeNetworkError() names every cause once', () => {
  const refused = new Error('connect ECONNREFUSED ::1:80');
  const other = new Error('connect ECONNREFUSED 127.0.0.1:80');
  expect(describeNetworkError(new AggregateError([refused, other, refused]))).toBe(
    'connect ECONNREFUSED ::1:80; connect ECONNREFUSED 127.0.0.1:80',
  );
  expect(describeNetworkError(Object.assign(new Error(''), { code: 'ECONNRESET' }))).toBe('ECONNRESET');
  expect(describeNetworkError('odd')).toBe('odd');
});
