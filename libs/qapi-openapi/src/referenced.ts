import type { Components } from './openapi.js';
import { sortedRecord } from './sorted.js';

type Section = Exclude<keyof Components, 'securitySchemes'>;
const sections: readonly Section[] = ['headers', 'parameters', 'responses', 'schemas'];
const componentReference = /^#\/components\/(\w+)\/(.+)$/;

/** The `components` that `root` refers to, directly or through other components; sorted by name. */
export function referencedComponents(root: unknown, components: Components): Components {
  const found: Record<Section, Map<string, unknown>> = {
    headers: new Map(),
    parameters: new Map(),
    responses: new Map(),
    schemas: new Map(),
  };
  const pending: unknown[] = [root];
  const follow = (reference: string): void => {
    const [, sectionName, name] = componentReference.exec(reference) ?? [];
    const section = sections.find((each) => each === sectionName);
    if (section === undefined || name === undefined || found[section].has(name)) return;
    const component = components[section][name];
    if (component === undefined) throw new TypeError(`no such component: ${reference}`);
    found[section].set(name, component);
    pending.push(component);
  };
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (key === '$ref' && typeof inner === 'string') follow(inner);
      else pending.push(inner);
    }
  }
  const kept = sections.map((section) => [section, sortedRecord(found[section])] as const);
  return { ...Object.fromEntries(kept), securitySchemes: components.securitySchemes } as Components;
}
