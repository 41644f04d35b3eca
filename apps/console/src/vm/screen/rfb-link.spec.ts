import { expect, it } from 'vitest';
import { combinations } from './keys.js';
import { stateAfterClose } from './rfb-link.js';

it('comes back after a loss, looks on after somebody took over, and ends where credentials are gone', () => {
  for (const code of [1001, 1006, 1012, 4408])
    expect(stateAfterClose({ code, reason: 'r' })).toEqual({ kind: 'lost', why: 'r' });
  expect(stateAfterClose({ code: 4409, reason: 'ops types' })).toEqual({ kind: 'looks', why: 'ops types' });
  expect(stateAfterClose({ code: 4401, reason: 'expired' })).toEqual({
    kind: 'ended',
    why: 'expired',
  });
  expect(stateAfterClose({})).toMatchObject({ kind: 'lost' });
});

it('has keys by their X11 numbers and the places of a US keyboard', () => {
  const keysOf = (title: string) => combinations.find((each) => each.title === title)?.keys.map(({ keysym }) => keysym);
  expect(keysOf('Ctrl+Alt+Del')).toEqual([0xffe3, 0xffe9, 0xffff]);
  expect(keysOf('Ctrl+Alt+F7')).toEqual([0xffe3, 0xffe9, 0xffc4]);
});
