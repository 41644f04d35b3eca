import { expect, it } from 'vitest';
import { isAnsweredQuestion } from './is-question.js';

it.each([
  ['query-blockstats', 'done', true],
  ['qom-list', 'done', true],
  ['qom-list-types', 'done', true],
  ['guest-get-osinfo', 'done', true],
  ['guest-fsfreeze-status', 'done', true],
  ['query-blockstats', 'failed', false],
  ['query-blockstats', 'running', false],
  ['qom-set', 'done', false],
  ['guest-fsfreeze-freeze', 'done', false],
  [null, 'done', false],
] as const)('%s, %s: a question that was answered: %s', (command, state, expected) => {
  expect(isAnsweredQuestion({ command, state })).toBe(expected);
});
