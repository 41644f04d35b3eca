import {
  Dropdown,
  DropdownItem,
  DropdownList,
  MenuToggle,
  Switch,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from '@patternfly/react-core';
import { useState } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { combinations } from './keys.js';
import { PasteText } from './paste-text.js';
import type { RfbLink } from './rfb-link.js';
import { LookSwitch, whyNotTyping } from '../typing/look-switch.js';

interface ScreenToolbarProps {
  readonly vm: string;
  readonly link: RfbLink | undefined;
  readonly scale: boolean;
  readonly isLooking: boolean;
  /** Why the reader may not type; absent where he may. */
  readonly whyLooking: string | undefined;
  readonly onScale: (scale: boolean) => void;
  readonly onLook: (isLooking: boolean) => void;
  readonly onTake: () => void;
  readonly onFullScreen: () => void;
}

/** Keys that the browser keeps for itself, and how the screen is looked at. */
export function ScreenToolbar(props: ScreenToolbarProps) {
  const { vm, link, scale, isLooking, whyLooking, onScale, onLook, onTake, onFullScreen } = props;
  const whyNot = whyNotTyping(isLooking, whyLooking);
  return (
    <Toolbar className="qg-tools" aria-label="Screen">
      <ToolbarContent>
        <ToolbarItem>
          <KeysMenu link={link} whyNot={whyNot} />
        </ToolbarItem>
        <ToolbarItem>
          <PasteText vm={vm} whyNot={whyNot} />
        </ToolbarItem>
        <ToolbarItem>
          <ActionButton
            variant="secondary"
            onClick={onTake}
            whyNot={whyLooking}
            does="Types from now on in place of whoever does, who is told."
          >
            Take over
          </ActionButton>
        </ToolbarItem>
        <ToolbarItem variant="separator" />
        <LookSwitch id="look-only" {...{ isLooking, whyLooking, onLook }} />
        <ToolbarItem alignSelf="center">
          <Switch id="scale" label="Fit to page" isChecked={scale} onChange={(_, isChecked) => onScale(isChecked)} />
        </ToolbarItem>
        <ToolbarItem align={{ default: 'alignEnd' }}>
          <ActionButton variant="secondary" onClick={onFullScreen}>
            Full screen
          </ActionButton>
        </ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  );
}

function KeysMenu({ link, whyNot }: { readonly link: RfbLink | undefined; readonly whyNot: string | undefined }) {
  const [isOpen, setOpen] = useState(false);
  if (whyNot !== undefined)
    return (
      <ActionButton variant="secondary" whyNot={whyNot}>
        Send keys
      </ActionButton>
    );
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      isScrollable
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="secondary" onClick={() => setOpen(!isOpen)} isExpanded={isOpen}>
          Send keys
        </MenuToggle>
      )}
    >
      <DropdownList>
        {combinations.map((combination) => (
          <DropdownItem
            key={combination.title}
            onClick={() => {
              setOpen(false);
              link?.press(combination);
            }}
          >
            {combination.title}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  );
}
