import type { QapiModel } from '@qmp-gateway/qapi';
import { describe, expect, it } from 'vitest';
import { hasDisplay, mayBringDisplay } from './display.js';

/** A VM that has these commands, and answers them like this; with an error where it is undefined. */
async function shows(
  answers: Readonly<Record<string, string | undefined>>,
): Promise<{ shown: boolean | null; asked: string[] }> {
  const asked: string[] = [];
  const commands = new Map(Object.keys(answers).map((name) => [name, {}])) as unknown as QapiModel['commands'];
  const shown = await hasDisplay(
    (command) => {
      asked.push(command);
      const answer = answers[command];
      return Promise.resolve(answer === undefined ? undefined : Buffer.from(answer));
    },
    { commands },
  );
  return { shown, asked };
}

const tree = (...names: string[]) => JSON.stringify(names.map((name) => ({ name, type: 'child<qemu-console>' })));

describe('whether a VM has a display', () => {
  it('is seen by its consoles, with no picture taken', async () => {
    expect(await shows({ 'qom-list': tree('type', 'console[0]'), screendump: '{}' })).toEqual({
      shown: true,
      asked: ['qom-list'],
    });
  });

  it.each([undefined, tree('type'), tree('consoles', 'console'), '[]', 'null', '{}', 'inf'])(
    'is seen by a picture that nobody wants where it lists %s',
    async (list) => {
      expect((await shows({ 'qom-list': list, screendump: undefined })).shown).toBe(false);
      expect((await shows({ 'qom-list': list, screendump: '{}' })).shown).toBe(true);
    },
  );

  it('is no question for a server that takes no pictures, nor an answer where it cannot be asked', async () => {
    expect(await shows({ 'qom-list': tree('console[0]') })).toEqual({ shown: false, asked: [] });
    expect(await shows({ screendump: '{}' })).toEqual({ shown: null, asked: [] });
  });
});

it('a display may come with a device, and with the rest of the machine', () => {
  expect(mayBringDisplay('device_add', '{"driver":"secondary-vga"}')).toBe(true);
  expect(mayBringDisplay('x-exit-preconfig', undefined)).toBe(true);
  expect(mayBringDisplay('human-monitor-command', '{"command-line":"device_add secondary-vga"}')).toBe(true);
  expect(mayBringDisplay('human-monitor-command', '{"command-line":"info status"}')).toBe(false);
  expect(mayBringDisplay('query-status', undefined)).toBe(false);
});
