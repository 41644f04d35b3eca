import { describe, expect, it } from 'vitest';
import { readAddress } from './gateway-address.js';

describe('the address of a gateway', () => {
  it.each([
    ['http://127.0.0.1:8080/', { text: 'http://127.0.0.1:8080', url: 'http://127.0.0.1:8080', socketPath: undefined }],
    [
      'https://gw.example.org/gw/',
      { text: 'https://gw.example.org/gw', url: 'https://gw.example.org/gw', socketPath: undefined },
    ],
    ['unix:/run/gw.sock', { text: 'unix:/run/gw.sock', url: 'http://localhost', socketPath: '/run/gw.sock' }],
  ])('%s', (text, address) => expect(readAddress(text)).toEqual(address));

  it.each([
    '',
    'gw.example.org',
    'gw:8080',
    'ftp://gw',
    'http://',
    'http:///x',
    'unix:gw.sock',
    'https://gw?a=b',
    'https://gw#a',
  ])('%j is none', (text) => expect(() => readAddress(text)).toThrow(/address/));

  it('has no credentials in it', () => {
    expect(() => readAddress('https://user:secret@gw')).toThrow(/no credentials/);
  });
});
