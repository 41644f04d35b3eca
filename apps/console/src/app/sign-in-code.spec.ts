import { expect, it, vi } from 'vitest';
import { takeCode } from './sign-in-code.js';

const at = (hash: string) => ({ hash, pathname: '/console/vms', search: '?q=a' });

it('takes a code out of the address and of the history', () => {
  const replaceState = vi.fn();
  expect(takeCode(at('#code=qmpgwc_Ab-_9'), { replaceState })).toBe('qmpgwc_Ab-_9');
  expect(replaceState).toHaveBeenCalledWith(null, '', '/console/vms?q=a');
});

it('leaves any other address alone', () => {
  const replaceState = vi.fn();
  for (const hash of ['', '#', '#code=', '#code=a b', '#other=x'])
    expect(takeCode(at(hash), { replaceState })).toBeUndefined();
  expect(replaceState).not.toHaveBeenCalled();
});
