import { expect, test } from 'vitest';
import { versionWarning } from './version.ts';

test.each([
  ['3.4.23', '3.4.45'],
  ['3.4.44', '3.4.45'],
  ['3.5.0', '3.5.33'],
  ['3.6.13', '3.6.14'],
  ['3.3.27', 'no version that drover knows'],
  ['2.3.7', 'no version that drover knows'],
  ['', 'no version that drover knows'],
])('versionWarning() of %j names %s', (version, text) => {
  expect(versionWarning(version)).toContain(text);
});

test.each(['3.4.45', '3.5.40', '3.6.14', '3.6.15-rc.0', '3.7.0', '4.0.1'])(
  'versionWarning() has nothing to say of %s',
  (version) => {
    expect(versionWarning(version)).toBeUndefined();
  },
);
