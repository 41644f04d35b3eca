import { expect, it } from 'vitest';
import { isTerminalReply } from './index.js';

it.each([
  '\u001b[24;80R',
  '\u001b[?1;2c',
  '\u001b[>0;276;0c',
  '\u001b[0n',
  '\u001b[?2004;1$y',
  '\u001b[8;24;80t',
  '\u001b[I',
])('knows %j for what a terminal says by itself', (text) => {
  expect(isTerminalReply(text)).toBe(true);
  expect(isTerminalReply(`${text}\u001b]10;rgb:ffff/ffff/ffff\u001b\\`)).toBe(true);
  expect(isTerminalReply(`${text}x`)).toBe(false);
});

it.each([
  '',
  'a',
  'R',
  '\r',
  '\u001b',
  '\u001b[A',
  '\u001bOP',
  '\u001b[3~',
  '\u001b[1;5C',
  '\u001b[200~pasted\u001b[201~',
  '\u0003',
])('takes %j for keys', (text) => expect(isTerminalReply(text)).toBe(false));
