import { expect, it } from 'vitest';
import { vmRow } from '../../api/vm.scene.js';
import { connectionWords, headline, runStateWords } from './state-words.js';

it('says what is wrong before what the guest does', () => {
  expect(headline(vmRow('a')).word).toBe('Running');
  expect(headline(vmRow('a', { health: 'unresponsive' })).word).toBe('Hangs');
  expect(headline(vmRow('a', { health: 'slow', runState: 'paused' })).word).toBe('Slow');
  expect(headline(vmRow('a', { state: 'waiting', health: null, runState: null })).word).toBe('Not connected');
});

it('shows a run state that it does not know as it is, whatever its name', () => {
  for (const runState of ['brand-new', '<img src=x onerror=alert(1)>', 'constructor'])
    expect(runStateWords({ runState })?.word).toBe(runState);
});

it('says why a VM is not connected', () => {
  const lastError = { code: 'no-such-file', detail: 'connect ENOENT /run/a', time: '' };
  expect(connectionWords({ state: 'waiting', lastError }).meaning).toContain('connect ENOENT /run/a');
  expect(connectionWords({ state: 'ready', lastError }).meaning).not.toContain('ENOENT');
});
