import { expect, it } from 'vitest';
import { AgentTasks } from './agent-tasks.js';

/** Files that are under way until they are ended. */
class Files {
  readonly tasks = new AgentTasks();
  readonly begun: Promise<void>[] = [];
  readonly #ends: ((failed: boolean) => void)[] = [];

  begin(vm: string): Promise<void> {
    const task = this.tasks.run(
      'files',
      vm,
      () =>
        new Promise<void>((resolve, reject) =>
          this.#ends.push((failed) => {
            if (failed) reject(new Error('cut'));
            else resolve();
          }),
        ),
    );
    this.begun.push(task);
    return task;
  }

  end(index: number, failed = false): Promise<void> | undefined {
    this.#ends[index]?.(failed);
    return this.begun[index];
  }

  async endAll(): Promise<void> {
    for (const end of this.#ends) end(false);
    await Promise.allSettled(this.begun);
  }
}

const refusal = { code: 'too-many-requests', outcome: 'not-sent' };

it('so many tasks are under way at once, and one that ends makes room', async () => {
  const files = new Files();
  for (let index = 0; index < 64; index++) void files.begin(`vm-${index % 4}`);
  await expect(files.begin('vm-4')).rejects.toMatchObject({ ...refusal, fields: { vm: 'vm-4' } });
  expect(await files.tasks.run('programs', 'vm-4', () => Promise.resolve('other'))).toBe('other');
  await files.end(0);
  await expect(files.end(1, true)).rejects.toThrow('cut');
  void files.begin('vm-4');
  void files.begin('vm-4');
  await expect(files.begin('vm-4')).rejects.toMatchObject(refusal);
  await files.endAll();
});

it('one guest has a quarter of them at most', async () => {
  const files = new Files();
  for (let index = 0; index < 16; index++) void files.begin('silent');
  await expect(files.begin('silent')).rejects.toMatchObject({ ...refusal, fields: { vm: 'silent' } });
  expect(await files.tasks.run('programs', 'silent', () => Promise.resolve('other'))).toBe('other');
  expect(await files.tasks.run('files', 'web', () => Promise.resolve('read'))).toBe('read');
  await files.end(3);
  void files.begin('silent');
  await expect(files.begin('silent')).rejects.toMatchObject(refusal);
  await files.endAll();
});
