import { readFileSync } from 'node:fs';
import { monitorTransitions } from '@qmp-gateway/qmp';
import { expect, it } from 'vitest';

const text = readFileSync(new URL('../../docs/lifecycle.md', import.meta.url), 'utf8');

it('draws every transition of a monitor with its cause, and no other', () => {
  const drawn = [...text.matchAll(/^ {2}(\w+) --> (\w+): (.+)$/gm)].map(([, from, to, cause]) => [from, to, cause]);
  const table = Object.entries(monitorTransitions).flatMap(([from, causes]) =>
    Object.entries(causes).map(([to, cause]) => [from, to, cause]),
  );
  expect(drawn).toEqual(table);
});

it('explains every state that clients see', () => {
  const section = /^## As clients see it$(.*?)^## /ms.exec(text)?.[1] ?? '';
  const explained = [...section.matchAll(/^\| `(\w+)` +\|/gm)].map(([, state]) => state);
  const shown = Object.keys(monitorTransitions).filter((state) => state !== 'idle' && state !== 'stopped');
  expect(explained.sort()).toEqual(shown.sort());
});
