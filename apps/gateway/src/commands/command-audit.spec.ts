import { expect, it } from 'vitest';
import { Principal } from '../access/principal.js';
import type { Decision } from '../access/policy/policy.js';
import { CommandLine, type EndedCommand } from './command-audit.js';
import type { CommandRequest } from './command-request.js';

const readDecision: Decision = { allowed: true, class: 'read', rule: 'base', reason: 'it reads' };
const usual = { vm: 'web-1', command: 'query-status', principal: 'token:a', entrance: 'rest', decision: readDecision };

function lineOf(more: object, requestMore: Partial<CommandRequest> = {}): Record<string, unknown> {
  const { vm, command, principal, entrance, decision } = { ...usual, ...more };
  const request = {
    ...{ requestId: 'r', vm, command, entrance, arguments: { kind: 'none' }, arrivedAt: 0, ...requestMore },
    principal: new Principal(principal, principal, { level: 'read', vms: ['*'] }),
  };
  const ended = { request, target: undefined, decision, document: undefined, work: undefined, durationMs: 1.5 };
  const answer = { ok: true, json: '{}', trace: {} };
  const line = new CommandLine({ ...ended, answer, internalFault: false } as unknown as EndedCommand);
  return JSON.parse(line.text('t')) as Record<string, unknown>;
}

it('says of each command its own caller, VM, name and rule, whatever the one before was', () => {
  const others = [
    {},
    {},
    { vm: 'web-2' },
    { vm: 'grün "€"' },
    { command: 'stop' },
    { principal: 'token:b' },
    { entrance: 'fan-out' },
    { decision: { ...readDecision, rule: 'settings' } },
    { decision: { ...readDecision, class: 'host' } },
    { decision: undefined },
  ];
  for (const other of others)
    for (const more of [other, usual, other, other, other]) {
      const { vm, command, principal, entrance, decision } = { ...usual, ...more };
      const { class: level, rule } = decision ?? {};
      const told = lineOf(more);
      expect(told).toEqual({
        ...{ time: 't', request: 'r', entrance, principal, vm, command, outcome: 'done', ms: 1.5 },
        ...(decision === undefined ? {} : { class: level, rule }),
      });
    }
});

it('has its members in the same order, dry runs and traces among them', () => {
  lineOf({});
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const names = Object.keys(lineOf({}, { traceparent, dryRun: true }));
  const [time, request, ...rest] = ['time', 'request', 'entrance', 'principal', 'traceparent', 'vm', 'command'];
  expect(names).toEqual([time, request, ...rest, 'dryRun', 'class', 'rule', 'outcome', 'ms']);
  const unmarked = names.filter((name) => name !== 'traceparent' && name !== 'dryRun');
  expect(Object.keys(lineOf({}))).toEqual(unmarked);
});
