import { describe, expect, it } from 'vitest';
import { problemCatalogue, problemCodes } from './catalogue.js';
import { asProblem, Problem, problemBody } from './problem.js';

describe('the catalogue of problems', () => {
  it.each(problemCodes)('%s is whole', (code) => {
    const { status, title, when, outcome, retryable } = problemCatalogue[code];
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(title).toMatch(/^[A-Z][^.]+$/);
    expect(when).toMatch(/\.$/);
    // Sending again must not be able to do a thing twice.
    if (retryable) expect(outcome).toBe('not-sent');
  });
});

describe('a problem as JSON', () => {
  it('is what RFC 9457 asks for, and ours', () => {
    const problem = new Problem('command-failed', 'no', { qmp: { class: 'GenericError', desc: 'no' } });
    expect(problemBody(problem.about({ vm: 'a', command: 'stop' }))).toEqual({
      type: '/problems/command-failed',
      title: 'Command failed',
      status: 422,
      detail: 'no',
      instance: expect.stringMatching(/^urn:uuid:/),
      code: 'command-failed',
      vm: 'a',
      command: 'stop',
      outcome: 'refused',
      retryable: false,
      qmp: { class: 'GenericError', desc: 'no' },
    });
  });

  it('tells nothing of what went wrong inside', () => {
    const body = problemBody(asProblem(new Error('secret of the inside')));
    expect(body).toMatchObject({ code: 'internal-error', status: 500, outcome: 'unknown' });
    expect(JSON.stringify(body)).not.toContain('secret');
  });
});
