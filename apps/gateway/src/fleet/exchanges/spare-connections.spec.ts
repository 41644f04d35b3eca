import { describe, expect, it } from 'vitest';
import { HandedConnection, type HandedSink } from '../../access/handed-connection.js';
import { Principal } from '../../access/principal.js';
import { SpareConnections } from './spare-connections.js';

const sink: HandedSink = {
  write: () => true,
  end: () => undefined,
  used: () => undefined,
  broken: () => undefined,
  left: () => undefined,
};

function connection(): HandedConnection {
  const principal = new Principal('p', 'p', { level: 'read', vms: ['*'] });
  const handed = { principal, node: 'A', vm: 'web', operation: 'a-1', notAfter: undefined };
  return new HandedConnection({ ...handed, isUpgrade: false, bodyBytes: 0 }, sink);
}

describe('spare connections', () => {
  it('are for requests of the same node only', () => {
    const spare = new SpareConnections();
    const kept = connection();
    spare.keep('A', kept);
    expect(spare.take('B')).toBeUndefined();
    expect(spare.take('A')).toBe(kept);
    expect(spare.take('A')).toBeUndefined();
  });

  it('that have ended meanwhile are passed over', () => {
    const spare = new SpareConnections();
    const [first, second] = [connection(), connection()];
    spare.keep('A', first);
    spare.keep('A', second);
    second.destroy();
    expect(spare.take('A')).toBe(first);
  });

  it('end when none of them was needed for a while', () => {
    const spare = new SpareConnections();
    const all = [connection(), connection(), connection()];
    for (const one of all) spare.keep('A', one);
    spare.trim();
    expect(all.map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
    // Two are needed at a time.
    const used = [spare.take('A'), spare.take('A')];
    for (const one of used) if (one !== undefined) spare.keep('A', one);
    spare.trim();
    expect(all.filter(({ destroyed }) => destroyed)).toHaveLength(1);
    spare.trim();
    expect(all.every(({ destroyed }) => destroyed)).toBe(true);
    expect(spare.take('A')).toBeUndefined();
  });

  it('are not more than a node needs', () => {
    const spare = new SpareConnections();
    const all = Array.from({ length: 70 }, connection);
    for (const one of all) spare.keep('A', one);
    expect(all.filter(({ destroyed }) => destroyed)).toHaveLength(6);
  });
});
