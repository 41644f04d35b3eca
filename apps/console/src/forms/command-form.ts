import type { VmSchema } from '@qmp-gateway/client';
import { TypeTable, type ObjectFieldType } from './field-types.js';

/** A command as its VM describes it. */
export type CommandOfVm = VmSchema['commands'][number];

/** The form of one command. */
export interface CommandForm {
  readonly command: CommandOfVm;
  readonly types: TypeTable;
  /** The type of its arguments. */
  readonly root: ObjectFieldType;
  /** It takes members that the schema does not list. */
  readonly open: boolean;
}

const nothing: ObjectFieldType = { kind: 'object', name: '', members: [], variants: new Map() };

/** @returns undefined if the VM has no command of this name */
export function formOf(schema: Pick<VmSchema, 'commands' | 'types'>, name: string): CommandForm | undefined {
  const command = schema.commands.find((each) => each.name === name);
  if (command === undefined) return undefined;
  const types = new TypeTable(schema.types);
  const root = types.typeOf(command.arguments);
  return { command, types, root: root.kind === 'object' ? root : nothing, open: command.openArguments === true };
}
