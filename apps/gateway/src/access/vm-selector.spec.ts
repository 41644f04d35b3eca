import { describe, expect, it } from 'vitest';
import { parseVmSelector, selectsEverything, selectsVm } from './vm-selector.js';

const vm = (id: string, labels: Record<string, string> = {}) => ({ id, labels });
const selector = (vms: string[], labels: string[] = []) => parseVmSelector(vms, labels).selector;

describe('parseVmSelector', () => {
  it('takes comma lists and repeated parameters alike', () => {
    expect(selector(['a,b', 'c-*']).vms).toEqual(['a', 'b', 'c-*']);
  });

  it('names every fault with its place', () => {
    const { faults } = parseVmSelector(['a b', ''], ['tenant', '=x', 'ok=1']);
    expect(faults.map(({ pointer }) => pointer)).toEqual(['/vm', '/vm', '/label', '/label']);
  });

  it('takes a thousand entries and no more, nor a label of any length', () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => `vm-${at}`).join(',');
    expect(parseVmSelector([many(1000)], []).faults).toEqual([]);
    expect(parseVmSelector([many(1001)], []).faults).toMatchObject([{ pointer: '/vm' }]);
    const labels = Array.from({ length: 1001 }, () => 'a=b');
    expect(parseVmSelector([], labels).faults).toMatchObject([{ pointer: '/label' }]);
    expect(parseVmSelector([], [`a=${'*a'.repeat(200)}`]).faults).toMatchObject([{ pointer: '/label' }]);
  });

  it('selects everything when nothing is said', () => {
    expect(selectsEverything(selector([]))).toBe(true);
    expect(selectsVm(selector([]), vm('x'))).toBe(true);
    expect(selectsEverything(selector(['*']))).toBe(false);
  });
});

describe('selectsVm', () => {
  it('needs one of the ids', () => {
    expect(selectsVm(selector(['web-*', 'db']), vm('web-1'))).toBe(true);
    expect(selectsVm(selector(['web-*', 'db']), vm('dbx'))).toBe(false);
  });

  it('needs every key, and any value of a key', () => {
    const wanted = selector([], ['tenant=a', 'tenant=b', 'tier=g*']);
    expect(selectsVm(wanted, vm('x', { tenant: 'b', tier: 'gold' }))).toBe(true);
    expect(selectsVm(wanted, vm('x', { tenant: 'c', tier: 'gold' }))).toBe(false);
    expect(selectsVm(wanted, vm('x', { tenant: 'a' }))).toBe(false);
  });

  it('does not find labels on the prototype', () => {
    expect(selectsVm(selector([], ['constructor=*']), vm('x'))).toBe(false);
  });
});
