import { VmSelection } from '../access/vm-selection.js';
import {
  anything,
  anyObject,
  choice,
  duration,
  list,
  moment,
  nullable,
  text,
  wholeNumber,
} from '../http/resource/field-type.js';
import { Optional, Required, Shape, shape } from '../http/resource/shape.js';
import { cursorType, vmIdType } from '../vms/vm-shapes.js';

export const operationStates = ['running', 'ready', 'done', 'failed', 'cancelled', 'lost'] as const;

class OperationProgress {
  @Required(wholeNumber())
  current!: number;

  @Required(wholeNumber())
  total!: number;

  @Required(choice(['bytes', 'steps']))
  unit!: 'bytes' | 'steps';

  @Required(nullable(wholeNumber({})), 'Units per second')
  rate!: number | null;

  @Required(nullable(moment()))
  estimatedEnd!: string | null;
}

class OperationError {
  @Required(text())
  code!: string;

  @Required(text(), 'What QEMU said, where it said something')
  detail!: string;
}

class OperationDescriptor {
  @Required(text(), 'What arguments call it by: its name, or `/dev/fdset/N`')
  use!: string;

  @Required(
    choice(['held', 'used', 'removed', 'unknown', 'lost']),
    '`held`: the VM has it. `used`: a command has used its name up. `removed`: closed by `closefd` or `remove-fd`, or by another of its name. `lost`: its session ended, and the VM has closed it, or, of a name, nobody can tell; pass it again. `unknown`: its session ended, and the VM has not told yet whether it has the set; or more than 256 were passed after it',
  )
  state!: 'held' | 'used' | 'removed' | 'unknown' | 'lost';
}

class OperationJob {
  @Required(text())
  id!: string;

  @Required(nullable(text()))
  type!: string | null;

  @Required(nullable(text()))
  status!: string | null;
}

class OperationEvent {
  @Required(cursorType)
  cursor!: unknown;

  @Required(text())
  event!: string;

  @Required(anyObject())
  data!: Readonly<Record<string, unknown>>;

  @Required(moment())
  time!: string;
}

/** What became of a command, and of the work that goes on after its reply. */
@Shape('CommandOperation')
export class OperationShape {
  @Required(text())
  id!: string;

  @Required(vmIdType)
  vm!: string;

  @Required(nullable(text()), 'Null for a job or a migration that was started past the gateway')
  command!: string | null;

  @Required(
    choice(operationStates),
    '`ready`: a job that waits to be told to finish. All but `running` and `ready` are final',
  )
  state!: (typeof operationStates)[number];

  @Required(nullable(text()), 'The session its command was written in')
  epoch!: string | null;

  @Required(moment())
  started!: string;

  @Required(nullable(moment()))
  ended!: string | null;

  @Optional(moment(), 'When its work counts as failed')
  deadline?: string;

  @Required(nullable(shape(() => OperationProgress)))
  progress!: OperationProgress | null;

  @Required(nullable(shape(() => OperationError)))
  error!: OperationError | null;

  @Optional(shape(() => OperationJob))
  job?: OperationJob;

  @Optional(list(shape(() => OperationDescriptor)), 'Of `getfd` and `add-fd`: what it passed to the VM, as it is now')
  descriptors?: OperationDescriptor[];

  @Required(list(shape(() => OperationEvent)), 'The newest 32 events that belong to it')
  events!: OperationEvent[];

  @Optional(anything(), 'What the command returned; lists leave it out')
  return?: unknown;

  @Optional(anything({ $ref: '#/components/schemas/Problem' }), 'When `failed`, `cancelled` or `lost`')
  problem?: unknown;
}

@Shape('CommandOperationList')
export class OperationListShape {
  @Required(list(shape(() => OperationShape)), 'The newest first')
  operations!: OperationShape[];
}

@Shape('CommandOperationPage')
export class OperationPageShape extends OperationListShape {
  @Required(cursorType)
  cursor!: unknown;
}

/** Query of `GET /v1/operations`. */
export class OperationSelection extends VmSelection {
  @Optional(choice(operationStates), 'Only those in this state')
  state: (typeof operationStates)[number] | undefined = undefined;

  @Optional(wholeNumber({ least: 1, most: 10_000, default: 1000 }), 'At most this many')
  limit: number | undefined = undefined;
}

/** Query of `GET /v1/vms/{vm}/operations/{id}`. */
export class OperationWaitQuery {
  @Optional(duration({ most: '10m' }), 'Answers when it has ended, or after this long with what is')
  wait: string | undefined = undefined;
}
