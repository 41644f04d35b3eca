import fc from 'fast-check';
import type { CommandForm } from '../../../apps/console/src/forms/command-form.js';
import { edited, type Edit, type FieldPath } from '../../../apps/console/src/forms/edits.js';
import { blankObject, type ObjectState, type OpenMember } from '../../../apps/console/src/forms/field-state.js';
import { formFields } from '../../../apps/console/src/forms/object-fields.js';
import type { FormFieldType, ObjectFieldType } from '../../../apps/console/src/forms/field-types.js';

type Random = fc.GeneratorValue;

/** Below this, optional members are left out, lists empty and alternates the simplest that they can be. */
const deepest = 4;

/** Fills a form in through its controls alone, as somebody would who chooses at random. */
export function fillIn(form: CommandForm, random: Random): ObjectState {
  return new Hand(form, random).fill();
}

class Hand {
  #state = blankObject;

  constructor(
    private readonly form: CommandForm,
    private readonly random: Random,
  ) {}

  fill(): ObjectState {
    this.#object(this.form.root, []);
    if (this.form.open) this.#edit([], { kind: 'set-open', open: this.#openMembers() });
    return this.#state;
  }

  #edit(path: FieldPath, edit: Edit): void {
    this.#state = edited(this.form, this.#state, path, edit);
  }

  #chance(): boolean {
    return this.random(fc.boolean);
  }

  #object(type: ObjectFieldType, path: FieldPath): void {
    const done = new Set<string>();
    // A tag brings further fields, so they are looked up anew after each.
    for (;;) {
      const next = formFields(this.form.types, type, this.#objectAt(path)).find(({ name }) => !done.has(name));
      if (next === undefined) return;
      done.add(next.name);
      if (next.optional && (path.length >= deepest || !this.#chance())) continue;
      const below = [...path, next.name];
      if (next.optional) this.#edit(below, { kind: 'include' });
      this.#value(this.form.types.typeOf(next.type), below);
    }
  }

  #value(type: FormFieldType, path: FieldPath): void {
    switch (type.kind) {
      case 'object':
        this.#object(type, path);
        break;
      case 'list':
        this.#items(type.element, path);
        break;
      case 'alternate':
        this.#branch(type.branches, path);
        break;
      case 'enum':
        this.#edit(path, { kind: 'choose', value: this.random(fc.constantFrom, ...type.values) });
        break;
      case 'boolean':
        this.#edit(path, { kind: 'choose', value: this.random(fc.constantFrom, 'true', 'false') });
        break;
      case 'null':
        break;
      default:
        this.#write(type, path);
    }
  }

  #items(element: string, path: FieldPath): void {
    const count = path.length >= deepest ? 0 : this.random(fc.nat, { max: 3 });
    for (let index = 0; index < count; index++) {
      this.#edit(path, { kind: 'add-item' });
      this.#value(this.form.types.typeOf(element), [...path, index]);
    }
    if (count > 1 && this.#chance()) this.#edit(path, { kind: 'raise-item', index: count - 1 });
    if (count > 0 && this.#chance()) this.#edit(path, { kind: 'remove-item', index: 0 });
  }

  #branch(branches: readonly string[], path: FieldPath): void {
    const types = branches.map((name) => this.form.types.typeOf(name));
    const simple = types.findIndex(({ kind }) => kind !== 'object' && kind !== 'list');
    const branch = path.length >= deepest && simple !== -1 ? simple : this.random(fc.nat, { max: branches.length - 1 });
    this.#edit(path, { kind: 'take-branch', branch });
    this.#value(types[branch]!, path);
  }

  #write(type: Extract<FormFieldType, { kind: 'text' | 'integer' | 'number' | 'json' }>, path: FieldPath): void {
    switch (type.kind) {
      case 'text': {
        const text = this.random(fc.string, { unit: 'grapheme' });
        this.#edit(path, text === '' ? { kind: 'write-empty' } : { kind: 'write', text });
        break;
      }
      case 'integer':
        this.#edit(path, { kind: 'write', text: this.random(integerText, type.width) });
        break;
      case 'number':
        this.#edit(path, { kind: 'write', text: String(this.random(fc.double, finite)) });
        break;
      case 'json':
        this.#edit(path, { kind: 'write', text: this.random(fc.json) });
    }
  }

  #openMembers(): OpenMember[] {
    const declared = this.form.root.members.map(({ name }) => name);
    const names = this.random(fc.uniqueArray, fc.string({ minLength: 1, maxLength: 9 }), { maxLength: 3 }) as string[];
    return names
      .filter((name) => !declared.includes(name))
      .map((name, key) =>
        this.#chance()
          ? { key, name, as: 'text', text: this.random(fc.string) }
          : { key, name, as: 'json', text: this.random(fc.json) },
      );
  }

  /** The state of the object at a path. */
  #objectAt(path: FieldPath): ObjectState {
    let state: unknown = this.#state;
    for (const step of path) state = below(state, step);
    return inside(state) as ObjectState;
  }
}

/** What an alternate has inside, as its path is that of its value. */
function inside(state: unknown): unknown {
  const each = (state ?? blankObject) as { readonly kind: string; readonly value?: unknown };
  return each.kind === 'alternate' ? each.value : each;
}

function below(state: unknown, step: string | number): unknown {
  const each = inside(state) as
    { kind: 'object'; members: ReadonlyMap<string, unknown> } | { kind: 'list'; items: readonly { value: unknown }[] };
  return each.kind === 'list' ? each.items[Number(step)]?.value : each.members.get(String(step));
}

const finite = { noNaN: true, noDefaultInfinity: true };

/** Integers of a width as people write them, those that no number holds included. */
function integerText(width: string): fc.Arbitrary<string> {
  const bits = width.endsWith('8') ? 8n : width.endsWith('16') ? 16n : width.endsWith('32') ? 32n : 64n;
  const unsigned = width.startsWith('u') || width === 'size';
  const range = unsigned
    ? { min: 0n, max: (1n << bits) - 1n }
    : { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n };
  const inDigits = fc.bigInt(range).map(String);
  return unsigned
    ? fc.oneof(
        inDigits,
        fc.bigInt(range).map((value) => `0x${value.toString(16)}`),
      )
    : inDigits;
}
