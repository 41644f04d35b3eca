import { blankObject, blankState, nextKey, type FieldState, type ObjectState, type OpenMember } from './field-state.js';
import type { CommandForm } from './command-form.js';
import type { FormFieldType, TypeTable } from './field-types.js';
import { formFields, stateOfMember } from './object-fields.js';

/** Where a field is: names of members and indexes of items from the arguments down, as in a JSON pointer. */
export type FieldPath = readonly (string | number)[];

/** What one use of a control does to its field. */
export type Edit =
  /** Text is typed. Where all of it is deleted, the field is left out or blank again. */
  | { readonly kind: 'write'; readonly text: string }
  /** The empty text is meant. */
  | { readonly kind: 'write-empty' }
  /** A value of an enum, or `true` and `false`; undefined takes the choice back. */
  | { readonly kind: 'choose'; readonly value: string | undefined }
  /** The type of an alternate; undefined takes the choice back. */
  | { readonly kind: 'take-branch'; readonly branch: number | undefined }
  /** An optional member is added, blank. */
  | { readonly kind: 'include' }
  /** An optional member is left out, a required one blank again. */
  | { readonly kind: 'leave-out' }
  | { readonly kind: 'add-item' }
  | { readonly kind: 'remove-item'; readonly index: number }
  /** An item changes places with the one before it. */
  | { readonly kind: 'raise-item'; readonly index: number }
  /** The members that the schema does not list, all of them. */
  | { readonly kind: 'set-open'; readonly open: readonly OpenMember[] };

/** The state after an edit of the field at `path`. An edit that does not fit its field changes nothing. */
export function edited({ types, root }: CommandForm, state: ObjectState, path: FieldPath, edit: Edit): ObjectState {
  const after = new Editor(types, edit).at(root, state, path);
  return after?.kind === 'object' ? after : blankObject;
}

class Editor {
  constructor(
    private readonly types: TypeTable,
    private readonly edit: Edit,
  ) {}

  /** @returns undefined if the field is left out, or blank */
  at(type: FormFieldType, state: FieldState, path: FieldPath): FieldState | undefined {
    if (type.kind === 'alternate' && state.kind === 'alternate' && this.#concernsBranch(path))
      return this.#inBranch(type, state, path);
    const [step, ...rest] = path;
    if (step === undefined) return this.#apply(type, state);
    if (type.kind === 'object' && state.kind === 'object') return this.#inMember(type, state, String(step), rest);
    if (type.kind === 'list' && state.kind === 'list') {
      const element = this.types.typeOf(type.element);
      const items = state.items.map((item, index) =>
        index === step ? { ...item, value: this.at(element, item.value, rest) ?? blankState(element) } : item,
      );
      return { kind: 'list', items };
    }
    return state;
  }

  /** Choosing the branch, and leaving out the whole, concern the alternate itself; all else what was chosen. */
  #concernsBranch(path: FieldPath): boolean {
    return path.length > 0 || (this.edit.kind !== 'take-branch' && this.edit.kind !== 'leave-out');
  }

  #inBranch(
    { branches }: Extract<FormFieldType, { kind: 'alternate' }>,
    state: Extract<FieldState, { kind: 'alternate' }>,
    path: FieldPath,
  ): FieldState {
    const name = state.branch === undefined ? undefined : branches[state.branch];
    if (name === undefined) return state;
    const type = this.types.typeOf(name);
    const value = this.at(type, state.value ?? blankState(type), path) ?? blankState(type);
    return { ...state, value };
  }

  #inMember(
    type: Extract<FormFieldType, { kind: 'object' }>,
    state: ObjectState,
    name: string,
    rest: FieldPath,
  ): ObjectState {
    const fields = formFields(this.types, type, state);
    const field = fields.find((each) => each.name === name);
    if (field === undefined) return state;
    const fieldType = this.types.typeOf(field.type);
    const before = stateOfMember(this.types, field, state) ?? blankState(fieldType);
    const after = this.at(fieldType, before, rest);
    const members = new Map(state.members);
    if (after === undefined) members.delete(name);
    else members.set(name, after);
    const changed: ObjectState = { ...state, members };
    return field.isTag ? this.#cutToVariant(type, state, changed) : changed;
  }

  /** Another variant keeps the members that it has too, of the same type. */
  #cutToVariant(
    type: Extract<FormFieldType, { kind: 'object' }>,
    before: ObjectState,
    after: ObjectState,
  ): ObjectState {
    const old = new Map(formFields(this.types, type, before).map((field) => [field.name, field.type]));
    const kept = new Map<string, FieldState>();
    for (const field of formFields(this.types, type, after)) {
      const value = after.members.get(field.name);
      if (value !== undefined && old.get(field.name) === field.type) kept.set(field.name, value);
    }
    return { ...after, members: kept };
  }

  #apply(type: FormFieldType, state: FieldState): FieldState | undefined {
    const { edit } = this;
    switch (edit.kind) {
      case 'write':
        if (state.kind !== 'written') return state;
        return edit.text === '' ? undefined : { kind: 'written', text: edit.text };
      case 'write-empty':
        return type.kind === 'text' ? { kind: 'written', text: '' } : state;
      case 'choose':
        if (state.kind !== 'chosen') return state;
        return edit.value === undefined ? undefined : { kind: 'chosen', value: edit.value };
      case 'take-branch':
        return this.#takeBranch(type, state, edit.branch);
      case 'include':
        return state;
      case 'leave-out':
        return undefined;
      case 'set-open':
        return state.kind === 'object' ? { ...state, open: edit.open } : state;
      default:
        return this.#editItems(type, state, edit);
    }
  }

  #takeBranch(type: FormFieldType, state: FieldState, branch: number | undefined): FieldState | undefined {
    if (type.kind !== 'alternate') return state;
    const name = branch === undefined ? undefined : type.branches[branch];
    if (branch === undefined || name === undefined) return undefined;
    if (state.kind === 'alternate' && state.branch === branch) return state;
    return { kind: 'alternate', branch, value: blankState(this.types.typeOf(name)) };
  }

  #editItems(
    type: FormFieldType,
    state: FieldState,
    edit: Extract<Edit, { kind: 'add-item' | 'remove-item' | 'raise-item' }>,
  ): FieldState {
    if (type.kind !== 'list' || state.kind !== 'list') return state;
    const items = [...state.items];
    if (edit.kind === 'add-item')
      items.push({ key: nextKey(items), value: blankState(this.types.typeOf(type.element)) });
    else if (edit.kind === 'remove-item') items.splice(edit.index, 1);
    else if (edit.index > 0) items.splice(edit.index - 1, 0, ...items.splice(edit.index, 1));
    return { kind: 'list', items };
  }
}
