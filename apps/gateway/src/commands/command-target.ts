import type { SchemaCommand, VmSchema } from '../schemas/vm-schema.js';
import type { CommandServer } from '../vms/command-server.js';
import type { Vm } from '../vms/vm.js';

/** A command that was found: on which VM, run by whom, in which schema. */
export interface CommandTarget {
  readonly vm: Vm;
  readonly server: CommandServer;
  readonly schema: VmSchema;
  readonly command: SchemaCommand;
}
