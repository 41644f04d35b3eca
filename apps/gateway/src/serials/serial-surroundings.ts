import type { Clock } from '@qmp-gateway/qmp';
import type { SerialSettings } from '../settings/socket-settings.js';
import type { AddressRules } from './serial-address.js';

/** What the serial lines of all VMs share. */
export interface SerialSurroundings {
  readonly settings: SerialSettings;
  readonly rules: AddressRules;
  /** Files that lines are attached to, by device and inode: two VMs that name one file have not both got it. */
  readonly claims: Map<string, object>;
  /** A name for the output of a line, never used before. */
  nextRun(): string;
  readonly clock: Clock;
}
