import { ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { DesktopIcon } from '@patternfly/react-icons/dist/esm/icons/desktop-icon.js';
import { MoonIcon } from '@patternfly/react-icons/dist/esm/icons/moon-icon.js';
import { SunIcon } from '@patternfly/react-icons/dist/esm/icons/sun-icon.js';
import { useSyncExternalStore } from 'react';
import { theme, type ThemeChoice } from './theme.js';

const choices: readonly { readonly choice: ThemeChoice; readonly title: string; readonly Icon: typeof SunIcon }[] = [
  { choice: 'light', title: 'Light', Icon: SunIcon },
  { choice: 'dark', title: 'Dark', Icon: MoonIcon },
  { choice: 'system', title: 'As the browser says', Icon: DesktopIcon },
];

export function ThemeMenu() {
  const chosen = useSyncExternalStore(theme.changed.subscribe, () => theme.choice);
  return (
    <ToggleGroup aria-label="Theme">
      {choices.map(({ choice, title, Icon }) => (
        <ToggleGroupItem
          key={choice}
          icon={<Icon />}
          aria-label={title}
          isSelected={chosen === choice}
          onChange={() => theme.choose(choice)}
        />
      ))}
    </ToggleGroup>
  );
}
