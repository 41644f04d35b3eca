import { Bullseye, Spinner } from '@patternfly/react-core';
import { useVm } from '../../api/use-gateway.js';
import type { VmTabProps } from '../tabs.js';
import { PictureScreen } from './picture-screen.js';
import { RfbScreen } from './rfb-screen.js';
import { useDisplay } from './use-display.js';

/** The screen of the VM: live where there is VNC, a refreshing picture where there is none. */
export default function ScreenTab({ vm: id }: VmTabProps) {
  const vm = useVm(id);
  const { display, why, open } = useDisplay(id, vm?.epoch ?? null);
  if (vm === undefined) return null;
  if (display === undefined && why === undefined)
    return (
      <Bullseye>
        <Spinner aria-label="Looking for a display" />
      </Bullseye>
    );
  if (display?.available === true) return <RfbScreen key={vm.epoch} vm={id} display={display} />;
  return (
    <PictureScreen
      vm={vm}
      why={why ?? 'It has no display that can be shown live.'}
      {...(display === undefined ? {} : { open })}
    />
  );
}
