import { describe, expect, it } from 'vitest';
import {
  IllegalTransitionError,
  monitorTransitions,
  requireTransition,
  type MonitorStateName,
} from './monitor-state.js';

const names = Object.keys(monitorTransitions) as MonitorStateName[];

describe('monitorTransitions', () => {
  it('reaches every state from idle, and stopped from every state', () => {
    const reached = new Set<MonitorStateName>(['idle']);
    for (const from of reached)
      for (const to of Object.keys(monitorTransitions[from])) reached.add(to as MonitorStateName);
    expect([...reached].sort()).toEqual([...names].sort());
    for (const from of names.filter((name) => name !== 'stopped'))
      expect(monitorTransitions[from]).toHaveProperty('stopped');
    expect(monitorTransitions.stopped).toEqual({});
  });

  it('is what requireTransition goes by', () => {
    for (const from of names) {
      for (const to of names) {
        if (to in monitorTransitions[from]) requireTransition(from, to);
        else expect(() => requireTransition(from, to)).toThrow(IllegalTransitionError);
      }
    }
  });

  it('goes to ready only by negotiating', () => {
    expect(names.filter((from) => 'ready' in monitorTransitions[from])).toEqual(['negotiating']);
  });
});
