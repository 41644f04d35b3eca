import { Button, InputGroup, InputGroupItem, TextArea, TextInput } from '@patternfly/react-core';
import { useId } from 'react';
import type { FieldState } from './field-state.js';
import type { FormFieldType } from './field-types.js';
import { fieldId, pointerOf, type FieldPlace } from './field-place.js';
import { FieldNotes, useNotes } from './field-notes.js';
import { useForm, type FieldNote } from './form-context.js';
import { integerOf, integerWarning } from './integer-text.js';

export type WrittenType = Extract<FormFieldType, { kind: 'text' | 'integer' | 'number' | 'json' }>;

const placeholders: Readonly<Record<WrittenType['kind'], string>> = {
  text: '',
  integer: '4096, 0x1000 or 4GiB',
  number: '1.5',
  json: '{"any": "JSON"}',
};

/** Members with such names hold secrets: what is typed is not shown. */
const secretName = /pass(?:word|wd|phrase)$|^secret$/i;

/** A field that is typed: text, integer, number, free JSON. */
export function WrittenControl({
  type,
  state,
  place,
}: {
  readonly type: WrittenType;
  readonly state: FieldState | undefined;
  readonly place: FieldPlace;
}) {
  const { edit, suggestions } = useForm();
  const notes = useNotes(place.path);
  const listId = useId();
  const id = fieldId(place.path);
  const text = state?.kind === 'written' ? state.text : undefined;
  const offered = suggestions?.get(pointerOf(place.path)) ?? [];
  const allNotes = [...notes, ...sizeNotes(type, text)];
  const input = {
    id,
    value: text ?? '',
    validated: notes.some(({ kind }) => kind === 'fault') ? 'error' : 'default',
    placeholder: place.isRequired ? placeholders[type.kind] : 'not sent',
    'aria-label': place.label === '' ? `item ${String(place.path.at(-1))}` : place.label,
    'aria-describedby': `${id}~notes`,
    spellCheck: false,
    onChange: (_: unknown, value: string) => edit(place.path, { kind: 'write', text: value }),
  } as const;
  return (
    <>
      <InputGroup>
        <InputGroupItem isFill>
          {type.kind === 'json' ? (
            <TextArea {...input} className="qg-mono" resizeOrientation="vertical" rows={2} />
          ) : (
            <TextInput
              {...input}
              type={secretName.test(place.label) ? 'password' : 'text'}
              autoComplete="off"
              {...(offered.length > 0 ? { list: listId } : {})}
            />
          )}
        </InputGroupItem>
        {type.kind === 'text' ? <EmptyTextButton text={text} place={place} /> : null}
      </InputGroup>
      {offered.length > 0 ? (
        <datalist id={listId}>
          {offered.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      ) : null}
      <FieldNotes id={`${id}~notes`} notes={allNotes} hint={hintOf(type, text)} />
    </>
  );
}

/** The empty text has to be meant: a field in which nothing stands is not sent. */
function EmptyTextButton({ text, place }: { readonly text: string | undefined; readonly place: FieldPlace }) {
  const { edit } = useForm();
  if (text !== undefined && text !== '') return null;
  const [word, kind] = text === undefined ? (['Empty', 'write-empty'] as const) : (['Undo', 'leave-out'] as const);
  return (
    <InputGroupItem>
      <Button variant="control" onClick={() => edit(place.path, { kind })}>
        {word}
        <span className="pf-v6-screen-reader">
          {text === undefined ? ` text as ${place.label}` : `: ${place.label} is not the empty text`}
        </span>
      </Button>
    </InputGroupItem>
  );
}

function sizeNotes(type: WrittenType, text: string | undefined): readonly FieldNote[] {
  const value = type.kind === 'integer' && text !== undefined ? integerOf(text) : undefined;
  const warning = type.kind === 'integer' && value !== undefined ? integerWarning(type.width, value) : undefined;
  return warning === undefined ? [] : [{ kind: 'warning', text: warning }];
}

/** What is sent, where that is not what stands there. */
function hintOf(type: WrittenType, text: string | undefined): string | undefined {
  if (type.kind === 'text' && text === '') return 'Sends the empty text.';
  if (type.kind !== 'integer' || text === undefined) return undefined;
  const value = integerOf(text);
  return value === undefined || value.toString() === text ? undefined : `Sends ${value}.`;
}
