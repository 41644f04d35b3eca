import { expect, it } from 'vitest';
import { agentWords, noAgent } from './agent-words.js';

it('only a ready agent can be asked', () => {
  const answering = ['ready', 'connecting', 'silent', 'busy', 'waiting', 'constructor', 'new'].filter(
    (state) => agentWords(state).answers,
  );
  expect(answering).toEqual(['ready']);
});

it('says what is wrong, and how to get an agent', () => {
  expect(agentWords('silent').says).toContain('qemu-guest-agent is not running');
  expect(agentWords('new').title).toBe('new');
  expect(noAgent).toContain('virtio-serial');
});
