import { expect, it } from 'vitest';
import { BrowserMemory } from './browser-memory.js';

/** As a browser's: its keys are own properties. */
function storage(): Storage & Record<string, string> {
  const methods = {
    getItem(this: Record<string, string>, key: string) {
      return this[key] ?? null;
    },
    setItem(this: Record<string, string>, key: string, value: string) {
      this[key] = value;
    },
    removeItem(this: Record<string, string>, key: string) {
      Reflect.deleteProperty(this, key);
    },
  };
  return Object.assign(Object.create(methods) as Storage & Record<string, string>, {});
}

it('keeps values until the session ends, and then nothing of them', () => {
  const kept = storage();
  kept.setItem('qmpgw.theme', 'dark');
  const memory = new BrowserMemory(kept);
  memory.write('history', ['stop']);
  expect(memory.read('history')).toEqual(['stop']);
  expect(memory.read('other')).toBeUndefined();
  memory.clear();
  expect(Object.keys(kept)).toEqual(['qmpgw.theme']);
});

it('keeps nothing that is too large, and reads nothing that is damaged', () => {
  const kept = storage();
  const memory = new BrowserMemory(kept);
  memory.write('large', 'x'.repeat(300_000));
  expect(memory.read('large')).toBeUndefined();
  kept.setItem('qmpgw.of-session.damaged', '{');
  expect(memory.read('damaged')).toBeUndefined();
});
