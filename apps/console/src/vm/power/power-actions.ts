import type { Vm } from '@qmp-gateway/client';

/** Something done to a whole VM with one command. */
export interface PowerAction {
  readonly command: 'stop' | 'cont' | 'system_powerdown' | 'system_reset' | 'inject-nmi' | 'quit';
  readonly title: string;
  /** What it will do, before it is done. */
  readonly does: string;
  /** Whether the reader is asked first: what it does cannot be taken back. */
  readonly asks: boolean;
  /** It ends or harms what runs in the VM. */
  readonly isDangerous?: boolean;
  /** Whether it makes sense as the VM is; a reason why not otherwise. */
  readonly whyNot: (vm: Pick<Vm, 'state' | 'runState'>) => string | undefined;
  /** What comes of it beyond the reply of the VM, which only says that it has begun. */
  readonly comes?: {
    readonly when: (vm: Vm | undefined) => boolean;
    readonly then: string;
    readonly otherwise: string;
  };
}

const isOff = (vm: Vm | undefined): boolean =>
  vm === undefined || vm.state === 'closed' || vm.state === 'waiting' || vm.runState === 'shutdown';
const unlessReady = ({ state }: Pick<Vm, 'state'>): string | undefined =>
  state === 'ready' ? undefined : 'The gateway is not connected to this VM.';

/** In the order they are offered. */
export const powerActions: readonly PowerAction[] = [
  {
    command: 'stop',
    title: 'Pause',
    does: 'Stops the virtual CPUs at once. Memory and devices stay as they are; Resume goes on from there. To the guest its clock stands still.',
    asks: false,
    whyNot: (vm) => unlessReady(vm) ?? (vm.runState === 'paused' ? 'It is paused.' : undefined),
  },
  {
    command: 'cont',
    title: 'Resume',
    does: 'Lets the virtual CPUs run on from where they were stopped.',
    asks: false,
    whyNot: (vm) => unlessReady(vm) ?? (vm.runState === 'running' ? 'It runs.' : undefined),
  },
  {
    command: 'system_powerdown',
    title: 'Shut down',
    does: 'Presses the power button: the guest is asked to shut down in order. A guest that hangs, or has no system that listens, ignores it.',
    asks: true,
    whyNot: unlessReady,
    comes: {
      when: isOff,
      then: 'The guest has shut down.',
      otherwise: 'The guest was asked and has not shut down yet. It may ignore the power button: look at its screen.',
    },
  },
  {
    command: 'system_reset',
    title: 'Reset',
    does: 'Presses the reset button: the guest starts again at once, without shutting down. What it has not written to its disks is lost.',
    asks: true,
    isDangerous: true,
    whyNot: unlessReady,
  },
  {
    command: 'inject-nmi',
    title: 'Send NMI',
    does: 'Sends a non-maskable interrupt to the guest. Many systems answer with a crash dump, and start again or stop: it is for a guest that hangs.',
    asks: true,
    isDangerous: true,
    whyNot: unlessReady,
  },
  {
    command: 'quit',
    title: 'Power off',
    does: 'Ends the process of the VM at once, as if the plug was pulled. What the guest has not written to its disks is lost. The gateway cannot start it again: whoever runs it can.',
    asks: true,
    isDangerous: true,
    whyNot: unlessReady,
    comes: { when: isOff, then: 'The VM has ended.', otherwise: 'The VM has not ended yet.' },
  },
];
