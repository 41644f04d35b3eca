import { Divider, Dropdown, DropdownGroup, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { UserIcon } from '@patternfly/react-icons/dist/esm/icons/user-icon.js';
import { useState } from 'react';
import { useGateway } from '../api/use-gateway.js';
import { useSignIn } from './sign-in-context.js';

/** Who is signed in, what that allows, and the way out. */
export function UserMenu() {
  const { grant, token } = useGateway();
  const signIn = useSignIn();
  const [isOpen, setOpen] = useState(false);
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      popperProps={{ position: 'right' }}
      toggle={(toggle) => (
        <MenuToggle ref={toggle} onClick={() => setOpen(!isOpen)} isExpanded={isOpen} icon={<UserIcon />}>
          Level {grant.level}
        </MenuToggle>
      )}
    >
      <DropdownGroup label={`${grant.principal}, VMs ${grant.vms.join(', ')}`}>
        <Divider />
        <DropdownList>
          <DropdownItem onClick={() => signIn.signOut()} isDisabled={token === undefined}>
            {token === undefined ? 'This gateway asks for no token' : 'Sign out'}
          </DropdownItem>
        </DropdownList>
      </DropdownGroup>
    </Dropdown>
  );
}
