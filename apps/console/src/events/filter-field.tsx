import { SearchInput } from '@patternfly/react-core';
import { useEffect, useId, useState } from 'react';

/** Typing that pauses so long counts as done. */
const pauseMs = 500;

interface FilterFieldProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  /** Offered while typing. */
  readonly suggestions?: readonly string[];
}

/** A text of the filter. It counts when the reader pauses, presses Enter or leaves the field. */
export function FilterField({ label, placeholder, value, onValue, suggestions = [] }: FilterFieldProps) {
  const [typed, setTyped] = useState(value);
  const list = useId();
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onValue(typed), pauseMs);
    return () => clearTimeout(timer);
  }, [typed, value, onValue]);
  return (
    <>
      <SearchInput
        aria-label={label}
        placeholder={placeholder}
        value={typed}
        onChange={(_, text) => setTyped(text)}
        onClear={() => {
          setTyped('');
          onValue('');
        }}
        onKeyDown={({ key }) => {
          if (key === 'Enter') onValue(typed);
        }}
        className="qg-filter-field"
        {...(suggestions.length > 0 ? { list } : {})}
      />
      {suggestions.length > 0 ? (
        <datalist id={list}>
          {suggestions.map((suggestion) => (
            <option key={suggestion} value={suggestion} />
          ))}
        </datalist>
      ) : null}
    </>
  );
}
