import type { Vm } from '@qmp-gateway/client';
import { headline } from '../vm/state/state-words.js';

/** Which VMs of the list are shown; it is in the address, so that it can be kept and sent. */
export interface VmFilter {
  /** Words, all of which are in the VM's id, name, uuid, node, version or labels. */
  readonly text: string;
  /** Headlines (`Hangs`); empty: any. */
  readonly states: readonly string[];
  /** `key=value`; all must match. */
  readonly labels: readonly string[];
}

export function readFilter(query: URLSearchParams): VmFilter {
  return { text: query.get('q') ?? '', states: query.getAll('state'), labels: query.getAll('label') };
}

/** @returns the query with this filter, and whatever else was in it */
export function writeFilter({ text, states, labels }: VmFilter, before: URLSearchParams): URLSearchParams {
  const query = new URLSearchParams(before);
  for (const name of ['q', 'state', 'label']) query.delete(name);
  if (text !== '') query.append('q', text);
  for (const state of states) query.append('state', state);
  for (const label of labels) query.append('label', label);
  return query;
}

export function filterVms(vms: readonly Vm[], { text, states, labels }: VmFilter): readonly Vm[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length + states.length + labels.length === 0) return vms;
  return vms.filter(
    (vm) =>
      (states.length === 0 || states.includes(headline(vm).word)) &&
      labels.every((label) => hasLabel(vm, label)) &&
      hasWords(vm, words),
  );
}

function hasLabel({ labels }: Vm, label: string): boolean {
  const equals = label.indexOf('=');
  return Object.hasOwn(labels, label.slice(0, equals)) && labels[label.slice(0, equals)] === label.slice(equals + 1);
}

function hasWords(vm: Vm, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = searched(vm);
  return words.every((word) => text.includes(word));
}

/** Made once for each row: rows are replaced, never changed. */
const texts = new WeakMap<Vm, string>();

function searched(vm: Vm): string {
  let text = texts.get(vm);
  if (text === undefined) {
    const { id, name, uuid, node, version, labels } = vm;
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    text = [id, name, uuid, node, version, ...pairs].join('\n').toLowerCase();
    texts.set(vm, text);
  }
  return text;
}

/** How many VMs have each value, the most frequent first. */
export function countsOf(vms: readonly Vm[], valuesOf: (vm: Vm) => readonly string[], most = 200): readonly Count[] {
  const counts = new Map<string, number>();
  for (const vm of vms) for (const value of valuesOf(vm)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((one, other) => other.count - one.count || (one.value < other.value ? -1 : 1))
    .slice(0, most);
}

interface Count {
  readonly value: string;
  readonly count: number;
}

export function statesOf(vm: Vm): readonly string[] {
  return [headline(vm).word];
}

export function labelsOf({ labels }: Vm): readonly string[] {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`);
}
