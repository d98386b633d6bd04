import { describe, expect, test } from 'vitest';
import { parseEtcdUrl } from './etcd-url.ts';

describe('parseEtcdUrl()', () => {
  test.each([
    ['etcd://h1', ['h1:2379']],
    ['etcd://h1:1,h2,[::1]:3/', ['h1:1', 'h2:2379', '[::1]:3']],
    ['etcd://h1,H1:2379', ['h1:2379']],
  ])('%s names %j', (url, endpoints) => expect(parseEtcdUrl(url)).toEqual(endpoints));

  test.each([
    ['etcd:', /names no member/],
    ['etcd://', /names no member/],
    ['etcd://h1,', /"" is not HOST or HOST:PORT/],
    ['etcd://h1:x', /"h1:x" is not HOST/],
    ['etcd://http://h1', /has a scheme of its own/],
    ['etcd://h1/prefix', /"h1\/prefix" is not HOST/],
    [`etcd://${'h,'.repeat(17)}`, /more than 16 members/],
  ])('%s is refused', (url, message) => expect(() => parseEtcdUrl(url)).toThrow(message));

  test('does not repeat a password that stands in it', () => {
    expect(() => parseEtcdUrl('etcd://root:hunter2@h1')).toThrow(/etcd\.password_file/);
    expect(() => parseEtcdUrl('etcd://root:hunter2@h1')).not.toThrow(/hunter2/);
  });
});
