import { writeJson } from '@qmp-gateway/client';
import type { CommandForm } from './command-form.js';
import { blankState, type FieldState, type ObjectState, type OpenMember } from './field-state.js';
import type { FormFieldType, ObjectFieldType, TypeTable } from './field-types.js';
import { formFields } from './object-fields.js';

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The form filled in with arguments, such as those of an earlier run. What does not fit its field is blank; members
 * that the form has not are properties of the outermost object, and lost below it.
 * @param value as `readJson` of the client returns it
 */
export function stateOf({ types, root }: CommandForm, value: unknown): ObjectState {
  return new StateReader(types).object(root, isJsonObject(value) ? value : {}, true);
}

class StateReader {
  constructor(private readonly types: TypeTable) {}

  object(type: ObjectFieldType, value: JsonObject, isRoot = false): ObjectState {
    const members = new Map<string, FieldState>();
    // A tag decides which fields follow it, so fields are looked up anew until there are no more.
    for (;;) {
      const state: ObjectState = { kind: 'object', members, open: [] };
      const next = formFields(this.types, type, state).find(
        ({ name }) => !members.has(name) && Object.hasOwn(value, name),
      );
      if (next === undefined) break;
      members.set(next.name, this.#value(this.types.typeOf(next.type), value[next.name]));
    }
    const others = Object.keys(value).filter((name) => !members.has(name));
    const open = isRoot ? others.map((name, key) => openMember(key, name, value[name])) : [];
    return { kind: 'object', members, open };
  }

  #value(type: FormFieldType, value: unknown): FieldState {
    switch (type.kind) {
      case 'object':
        return isJsonObject(value) ? this.object(type, value) : blankState(type);
      case 'list':
        return this.#list(type, value);
      case 'alternate': {
        const branch = type.branches.findIndex((name) => takes(this.types.typeOf(name), value));
        const name = type.branches[branch];
        if (name === undefined) return blankState(type);
        return { kind: 'alternate', branch, value: this.#value(this.types.typeOf(name), value) };
      }
      default:
        return takes(type, value) ? scalarState(type, value) : blankState(type);
    }
  }

  #list({ element }: Extract<FormFieldType, { kind: 'list' }>, value: unknown): FieldState {
    const items = Array.isArray(value) ? (value as unknown[]) : [];
    const type = this.types.typeOf(element);
    return { kind: 'list', items: items.map((item, key) => ({ key, value: this.#value(type, item) })) };
  }
}

function scalarState(type: FormFieldType, value: unknown): FieldState {
  switch (type.kind) {
    case 'null':
      return { kind: 'null' };
    case 'boolean':
    case 'enum':
      return { kind: 'chosen', value: String(value) };
    case 'json':
      return { kind: 'written', text: writeJson(value) ?? '' };
    default:
      return { kind: 'written', text: String(value) };
  }
}

/** Whether a field of this type can hold the value, as far as its kind of JSON value says. */
function takes(type: FormFieldType, value: unknown): boolean {
  switch (type.kind) {
    case 'json':
      return true;
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'text':
      return typeof value === 'string';
    case 'enum':
      return typeof value === 'string' && type.values.includes(value);
    case 'integer':
      return typeof value === 'bigint' || Number.isSafeInteger(value);
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'list':
      return Array.isArray(value);
    case 'object':
      return isJsonObject(value);
    case 'alternate':
      return false; // QAPI has no alternates of alternates
  }
}

function openMember(key: number, name: string, value: unknown): OpenMember {
  return typeof value === 'string'
    ? { key, name, as: 'text', text: value }
    : { key, name, as: 'json', text: writeJson(value) ?? '' };
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
