import { expect, it } from 'vitest';
import { AgentTasks } from './agent-tasks.js';

it('so many tasks are under way at once, and one that ends makes room', async () => {
  const tasks = new AgentTasks();
  const ends: ((failed: boolean) => void)[] = [];
  const begin = () =>
    tasks.run(
      'files',
      () =>
        new Promise<void>((resolve, reject) =>
          ends.push((failed) => {
            if (failed) reject(new Error('cut'));
            else resolve();
          }),
        ),
    );
  const begun = Array.from({ length: 64 }, begin);
  await expect(begin()).rejects.toMatchObject({ code: 'too-many-requests', outcome: 'not-sent' });
  expect(await tasks.run('programs', () => Promise.resolve('other'))).toBe('other');
  ends[0]?.(false);
  ends[1]?.(true);
  await begun[0];
  await expect(begun[1]).rejects.toThrow('cut');
  begun.push(begin(), begin());
  await expect(begin()).rejects.toMatchObject({ code: 'too-many-requests' });
  for (const end of ends) end(false);
  await Promise.allSettled(begun);
});
