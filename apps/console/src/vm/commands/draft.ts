import { JsonText, readJson } from '@qmp-gateway/client';
import { argumentsOf, type FieldFault, type WrittenArguments } from '../../forms/arguments-text.js';
import type { CommandForm } from '../../forms/command-form.js';
import { blankObject, type ObjectState } from '../../forms/field-state.js';
import { compactJson } from '../../forms/json-text.js';
import type { FieldNote } from '../../forms/form-context.js';
import { stateOf } from '../../forms/state-of-arguments.js';

/** Arguments that are being written: in the form, or as text. */
export type Draft =
  { readonly kind: 'form'; readonly state: ObjectState } | { readonly kind: 'text'; readonly text: string };

/** @param text of arguments to begin with */
export function draftOf(form: CommandForm, text: string | undefined): Draft {
  if (text === undefined) return { kind: 'form', state: blankObject };
  try {
    return { kind: 'form', state: stateOf(form, readJson(text)) };
  } catch {
    return { kind: 'text', text };
  }
}

/** What the draft would send. */
export function draftedArguments(form: CommandForm, draft: Draft): WrittenArguments {
  if (draft.kind === 'form') return argumentsOf(form, draft.state);
  if (draft.text.trim() === '') return { text: undefined, faults: [] };
  const text = compactJson(draft.text);
  const isObject = text?.startsWith('{') === true;
  if (isObject) return { text, faults: [] };
  const message = text === undefined ? 'not JSON' : 'not an object of arguments';
  return { text: undefined, faults: [{ pointer: '', message, missing: false }] };
}

/** The same arguments, written the other way. @returns undefined for a text that no form stands for */
export function switched(form: CommandForm, draft: Draft): Draft | undefined {
  if (draft.kind === 'form') {
    const { text } = argumentsOf(form, draft.state);
    return { kind: 'text', text: text === undefined ? '' : text };
  }
  const { text, faults } = draftedArguments(form, draft);
  return faults.length > 0 ? undefined : draftOf(form, text ?? '{}');
}

/** Arguments for the client, which sends them as they are written. */
export function asArguments(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  // The client writes a JSON text wherever a value may stand; its types know only values.
  return text === undefined ? undefined : (new JsonText(text) as unknown as Readonly<Record<string, unknown>>);
}

/** A fault that the gateway found. */
interface GatewayFault {
  readonly pointer: string;
  readonly message: string;
  readonly suggestions?: readonly string[];
}

/**
 * Notes for the fields of a form, by pointer.
 * @param showMissing also what is not filled in yet
 */
export function notesOf(
  faults: readonly FieldFault[],
  ofGateway: readonly GatewayFault[],
  showMissing: boolean,
): ReadonlyMap<string, readonly FieldNote[]> {
  const notes = new Map<string, FieldNote[]>();
  const add = (pointer: string, text: string): void => {
    notes.set(pointer, [...(notes.get(pointer) ?? []), { kind: 'fault', text }]);
  };
  for (const { pointer, message, missing } of faults) if (showMissing || !missing) add(pointer, message);
  for (const { pointer, message, suggestions = [] } of ofGateway)
    add(pointer, suggestions.length === 0 ? message : `${message}; did you mean ${suggestions.join(' or ')}?`);
  return notes;
}
