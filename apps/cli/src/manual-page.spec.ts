import { describe, expect, it } from 'vitest';
import { commandLine } from './command-line.js';
import { manualPage } from './manual-page.js';

const root = commandLine('qmpctl', '1.2.3', () => {
  throw new Error('nothing is run');
});
const page = manualPage(root);

describe('the manual page', () => {
  it('has every command with its options and examples', () => {
    for (const command of root.commands.filter((each) => !each.name().startsWith('__') && each.name() !== 'help')) {
      const inner = command.commands.filter((each) => each.name() !== 'help');
      const names = inner.length === 0 ? [command.name()] : inner.map((each) => `${command.name()} ${each.name()}`);
      for (const name of names) expect(page).toContain(`\n.SS "${name}"`);
    }
    expect(page).toContain('.B \\-\\-dry\\-run\n');
    expect(page).toContain('qmpctl exec web\\-1 query\\-status');
    expect(page).toMatch(/^\.\\" Made by/);
  });

  it('has the exit status, and no request that nobody meant', () => {
    expect(page).toContain('.SH EXIT STATUS');
    const requests = [...page.matchAll(/^\.(\S+)/gm)].map(([, request]) => request);
    expect([...new Set(requests)].sort()).toEqual(['B', 'I', 'PP', 'SH', 'SS', 'TH', 'TP', '\\"', 'fi', 'nf']);
  });
});

describe('every command', () => {
  const all = root.commands
    .flatMap((command) => [command, ...command.commands])
    .filter((command) => !command.name().startsWith('__'));

  it('has a description that says what it does, in a line that fits', () => {
    for (const command of all)
      expect([command.name(), command.summary() || command.description()]).toEqual([
        command.name(),
        expect.stringMatching(/^[a-z][^\n]{5,63}$/),
      ]);
  });

  it('has its examples in its help', () => {
    for (const command of all.filter((each) => each.commands.length === 0 && each.name() !== 'help')) {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      expect([command.name(), /\nExamples?:\n {2}qmpctl /.test(help)]).toEqual([command.name(), true]);
    }
  });
});
