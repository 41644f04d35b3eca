import type { FieldState, ListState, ObjectState } from './field-state.js';
import type { FormFieldType, TypeTable } from './field-types.js';
import type { CommandForm } from './command-form.js';
import { integerOf } from './integer-text.js';
import { compactJson, jsonNumber, pointerBelow } from './json-text.js';
import { formFields, stateOfMember } from './object-fields.js';

/** What is wrong with a field. */
export interface FieldFault {
  /** JSON pointer (RFC 6901) from the arguments object. */
  readonly pointer: string;
  readonly message: string;
  /** Nothing is filled in yet: worth saying only to somebody who has finished. */
  readonly missing: boolean;
}

export interface WrittenArguments {
  /** The exact text of the `arguments` object; undefined if there are none, or faults. */
  readonly text: string | undefined;
  /** Empty if the command can be sent. */
  readonly faults: readonly FieldFault[];
}

/** With the flag a pair is one character, so what is found is half of one. */
const loneSurrogate = /\p{Surrogate}/u;

/** The gateway refuses JSON that is nested deeper. */
const deepest = 64;

/** A hostile schema may require objects without end, each with several others. */
const mostFaults = 200;

/** The arguments that a form stands for, in the order of their fields. */
export function argumentsOf({ types, root, open }: CommandForm, state: ObjectState): WrittenArguments {
  const writer = new ArgumentsWriter(types);
  const text = writer.object(root, state, '', 1);
  const isNothing = text === '{}' && root.members.every(({ optional }) => optional) && !open;
  const { faults } = writer;
  return { text: faults.length > 0 || isNothing ? undefined : text, faults };
}

/** One walk over the state; what it returns is of use only without faults. */
class ArgumentsWriter {
  readonly faults: FieldFault[] = [];

  constructor(private readonly types: TypeTable) {}

  object(type: Extract<FormFieldType, { kind: 'object' }>, state: ObjectState, pointer: string, depth: number): string {
    if (depth > deepest || this.faults.length >= mostFaults) return this.#fault(pointer, 'nested too deeply');
    const members: string[] = [];
    for (const field of formFields(this.types, type, state)) {
      const value = stateOfMember(this.types, field, state);
      if (value === undefined) continue;
      const text = this.#value(this.types.typeOf(field.type), value, pointerBelow(pointer, field.name), depth);
      members.push(`${JSON.stringify(field.name)}:${text}`);
    }
    for (const { name, as, text } of state.open) {
      const value = as === 'text' ? this.#text(text, pointerBelow(pointer, name)) : this.#openJson(pointer, name, text);
      if (name === '') this.#missing(pointer, 'a property has no name');
      members.push(`${JSON.stringify(name)}:${value}`);
    }
    return `{${members.join(',')}}`;
  }

  #value(type: FormFieldType, state: FieldState, pointer: string, depth: number): string {
    if (this.faults.length >= mostFaults) return '';
    switch (type.kind) {
      case 'object':
        return state.kind === 'object' ? this.object(type, state, pointer, depth + 1) : this.#missing(pointer);
      case 'list':
        return state.kind === 'list' ? this.#list(type.element, state, pointer, depth + 1) : this.#missing(pointer);
      case 'alternate':
        return this.#alternate(type.branches, state, pointer, depth);
      case 'null':
        return 'null';
      case 'boolean':
        return state.kind === 'chosen' && state.value !== undefined
          ? state.value
          : this.#missing(pointer, 'choose true or false');
      case 'enum':
        return state.kind === 'chosen' && state.value !== undefined
          ? JSON.stringify(state.value)
          : this.#missing(pointer, 'choose a value');
      default:
        return state.kind === 'written' && state.text !== undefined
          ? this.#written(type.kind, state.text, pointer)
          : this.#missing(pointer);
    }
  }

  #list(element: string, { items }: ListState, pointer: string, depth: number): string {
    if (depth > deepest) return this.#fault(pointer, 'nested too deeply');
    const type = this.types.typeOf(element);
    return `[${items.map(({ value }, index) => this.#value(type, value, pointerBelow(pointer, index), depth)).join(',')}]`;
  }

  #alternate(branches: readonly string[], state: FieldState, pointer: string, depth: number): string {
    const name = state.kind === 'alternate' && state.branch !== undefined ? branches[state.branch] : undefined;
    if (name === undefined || state.kind !== 'alternate' || state.value === undefined)
      return this.#missing(pointer, 'choose what it is');
    return this.#value(this.types.typeOf(name), state.value, pointer, depth);
  }

  #written(kind: 'text' | 'integer' | 'number' | 'json', text: string, pointer: string): string {
    switch (kind) {
      case 'text':
        return this.#text(text, pointer);
      case 'integer':
        return integerOf(text)?.toString() ?? this.#fault(pointer, 'not an integer: 4096, 0x1000 and 4GiB are');
      case 'number':
        return jsonNumber.test(text.trim()) ? text.trim() : this.#fault(pointer, 'not a number: 1.5 and -2e3 are');
      case 'json':
        return compactJson(text) ?? this.#fault(pointer, 'not JSON: a text needs quotes');
    }
  }

  #text(text: string, pointer: string): string {
    if (loneSurrogate.test(text)) return this.#fault(pointer, 'half of a character (a lone surrogate)');
    return JSON.stringify(text);
  }

  #openJson(pointer: string, name: string, text: string): string {
    const below = pointerBelow(pointer, name);
    if (text.trim() === '') return this.#missing(below);
    return compactJson(text) ?? this.#fault(below, 'not JSON: a text needs quotes, or to be sent as text');
  }

  #missing(pointer: string, message = 'required'): string {
    return this.#fault(pointer, message, true);
  }

  #fault(pointer: string, message: string, missing = false): string {
    if (this.faults.length < mostFaults) this.faults.push({ pointer, message, missing });
    return '';
  }
}
