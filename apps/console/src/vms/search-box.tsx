import { SearchInput } from '@patternfly/react-core';
import { useState } from 'react';

interface SearchBoxProps {
  /** As the address has it. */
  readonly text: string;
  readonly onSearch: (text: string) => void;
}

/**
 * What is typed is shown at once. The address follows a moment later, and must not take back what was typed meanwhile: it
 * counts again when nobody types, as after a step back.
 */
export function SearchBox({ text, onSearch }: SearchBoxProps) {
  const [typed, setTyped] = useState<string>();
  const search = (value: string): void => {
    setTyped(value);
    onSearch(value);
  };
  return (
    <SearchInput
      className="qg-search"
      placeholder="Id, name, label, version"
      aria-label="Search VMs"
      value={typed ?? text}
      onChange={(_, value) => search(value)}
      onClear={() => search('')}
      onBlur={() => setTyped(undefined)}
    />
  );
}
