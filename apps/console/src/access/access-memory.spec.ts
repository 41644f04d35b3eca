import { expect, it, vi } from 'vitest';
import { AccessMemory } from './access-memory.js';

type Client = ConstructorParameters<typeof AccessMemory>[0];

const refused = { allowed: false, reason: 'needs level operate', level: 'read', lowestClass: 'operate' };

it('asks once for each VM and command, and says why not', async () => {
  const mayRun = vi.fn().mockResolvedValue(refused);
  const memory = new AccessMemory({ vm: () => ({ mayRun }) } as unknown as Client);
  expect(await memory.mayRun('a', 'stop')).toEqual({ allowed: false, reason: 'stop needs level operate' });
  await memory.mayRun('a', 'stop');
  await memory.mayRun('b', 'stop');
  expect(mayRun).toHaveBeenCalledTimes(2);
});

it('offers a command where nobody can say, and asks again the next time', async () => {
  const mayRun = vi.fn().mockRejectedValueOnce(new Error('no answer')).mockResolvedValue(refused);
  const memory = new AccessMemory({ vm: () => ({ mayRun }) } as unknown as Client);
  expect((await memory.mayRun('a', 'stop')).allowed).toBe(true);
  expect((await memory.mayRun('a', 'stop')).allowed).toBe(false);
});
