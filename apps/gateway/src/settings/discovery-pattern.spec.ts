import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agentPatternFaults, DiscoveryPattern, patternFaults, type Placeholders } from './discovery-pattern.js';

describe('a pattern', () => {
  it.each<[string, string, Placeholders | undefined]>([
    ['/run/qemu/{id}.qmp', '/run/qemu/web-1.qmp', { id: 'web-1' }],
    ['/run/qemu/{id}.qmp', '/run/qemu/web-1.qga', undefined],
    ['/run/qemu/{id}.qmp', '/run/qemu/.qmp', undefined],
    ['/run/qemu/{id}.qmp', '/run/qemu/a/b.qmp', undefined],
    ['/run/qemu/{id}.qmp', '/run/qemu/a.qmp.qmp', { id: 'a.qmp' }],
    ['/run/qemu/{id}xqmp', '/run/qemu/a.qmp', undefined],
    ['/run/{tenant}/{id}/qmp', '/run/a/web/qmp', { tenant: 'a', id: 'web' }],
    ['/run/{id}/{id}.qmp', '/run/web/web.qmp', { id: 'web' }],
    ['/run/{id}/{id}.qmp', '/run/web/db.qmp', undefined],
    ['/run/{id}-{id}', '/run/a-a', { id: 'a' }],
    ['/run/{id}-{id}', '/run/a-b', undefined],
    ['/q/domain-{number}-{id}/monitor', '/q/domain-12-web-1/monitor', { number: '12', id: 'web-1' }],
    ['/run/{constructor}/{id}', '/run/x/a', { constructor: 'x', id: 'a' }],
    ['/run/(a|b)+/{id}', '/run/(a|b)+/x', { id: 'x' }],
  ])('%s at %s', (pattern, path, values) => {
    expect(new DiscoveryPattern(pattern).matchPath(path)).toEqual(values);
  });

  it('finds again what was filled in', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9]{1,20}$/);
    fc.assert(
      fc.property(name, name, name, (tenant, rack, id) => {
        const pattern = new DiscoveryPattern('/run/{tenant}/r{rack}_x/{id}-{tenant}.qmp');
        const values = { tenant, rack, id };
        expect(pattern.matchPath(pattern.fill(values) ?? '')).toEqual(values);
      }),
    );
  });
});

describe('what is filled in', () => {
  it.each(['.', '..'])('never makes a name %s of a path', (tenant) => {
    expect(new DiscoveryPattern('/run/{tenant}/{id}').fill({ tenant, id: 'a' })).toBeUndefined();
    expect(new DiscoveryPattern('/run/t{tenant}/{id}').fill({ tenant, id: 'a' })).toBe(`/run/t${tenant}/a`);
  });

  it.each([
    ['/run/{tenant}/{id}', '/run'],
    ['/run/q-{tenant}/{id}', '/run'],
    ['/{tenant}/{id}', '/'],
    ['/run/qemu/{id}.qmp', '/run/qemu'],
    ['/run/agent', undefined],
  ])('%s is the operator’s down to %s', (pattern, anchor) => {
    expect(new DiscoveryPattern(pattern).anchor).toBe(anchor);
  });
});

describe('faults', () => {
  it.each([
    ['run/{id}', /absolute/],
    ['/run/qemu.qmp', /must contain \{id\}/],
    ['/run/*/{id}', /\*/],
    ['/run/{id', /brace/],
    ['/run/id}/{id}', /brace/],
    ['/run/{1st}/{id}', /\{1st\}/],
    ['/run/{}/{id}', /\{\}/],
    ['/run/{a}{id}', /between/],
    ['/run/{a}-{b}-{c}-{id}', /3 placeholders/],
    ['/run//{id}', /empty/],
    ['/run/../{id}', /\.\./],
    [`/${'a'.repeat(107)}/{id}`, /107/],
  ])('of %s', (pattern, fault) => {
    expect(patternFaults(pattern)).toEqual([expect.stringMatching(fault)]);
  });

  it('has none', () => {
    expect(patternFaults('/run/qemu/{tenant}/{id}.qmp')).toEqual([]);
    expect(agentPatternFaults('/run/{id}.qga', '/run/qemu/{tenant}/{id}.qmp')).toEqual([]);
  });

  it('of an agent pattern: a placeholder that nothing tells', () => {
    expect(agentPatternFaults('/run/{rack}/{id}.qga', '/run/{id}.qmp')).toEqual([expect.stringMatching(/\{rack\}/)]);
  });
});
