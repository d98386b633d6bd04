import { expect, test } from 'vitest';
import { expandAddress } from './address-template.ts';

const v4 = (address: string, internal = false) => ({ address, family: 'IPv4', internal });
const machine = {
  lo: [v4('127.0.0.1', true)],
  eth0: [{ address: 'fe80::1', family: 'IPv6', internal: false }, v4('203.0.113.7')],
  eth1: [v4('172.20.0.9')],
};

test.each([
  ['{{ GetPrivateIP }}', '172.20.0.9'],
  ['{{GetPublicIP}}', '203.0.113.7'],
  ['{{ GetInterfaceIP "eth0" }}', '203.0.113.7'],
  ['{{ GetInterfaceIP "lo" }}', '127.0.0.1'],
  ['{{ GetInterfaceIP "eth9" }}', '{{ GetInterfaceIP "eth9" }}'],
  ['{{ GetInterfaceIP }}', '{{ GetInterfaceIP }}'],
  ['{{ GetAllInterfaces | attr "address" }}', '{{ GetAllInterfaces | attr "address" }}'],
  ['10.0.0.1', '10.0.0.1'],
  ['', ''],
])('expandAddress() of %s is %s', (text, expected) => {
  expect(expandAddress(text, () => machine)).toBe(expected);
});

test('expandAddress() asks for the machine only where a template does', () => {
  expect(expandAddress('127.0.0.1', () => expect.fail('asked'))).toBe('127.0.0.1');
});
