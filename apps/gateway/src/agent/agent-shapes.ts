import {
  anything,
  base64,
  checked,
  choice,
  constant,
  either,
  flag,
  list,
  moment,
  named,
  nullable,
  text,
  wholeNumber,
} from '../http/resource/field-type.js';
import { Required, Shape, shape } from '../http/resource/shape.js';
import { agentStates, type AgentState } from '../vms/vm-agent.js';
import { SchemaCommandRow, SchemaEventRow, schemaTypesType } from '../vms/vm-shapes.js';

/** Where a guest agent is, and since when. */
class GuestAgentHead {
  @Required(choice(agentStates), '`silent`: connected, but nobody in the guest answers; `waiting`: no connection')
  state!: AgentState;

  @Required(moment(), 'When `state` became what it is')
  since!: string;

  @Required(nullable(text()), 'The session with the agent; opaque, never reused')
  epoch!: string | null;

  @Required(nullable(text()), 'Of the agent; null before the first session')
  version!: string | null;
}

/** What a guest agent is and offers. */
@Shape('GuestAgent')
export class GuestAgentShape extends GuestAgentHead {
  @Required(nullable(text()), 'Hash of the commands it has enabled; null before the first session')
  schema!: string | null;

  @Required(list(shape(() => SchemaCommandRow)), 'Those it has enabled')
  commands!: readonly SchemaCommandRow[];

  @Required(list(shape(() => SchemaEventRow)), 'Empty: a guest agent has none')
  events!: readonly SchemaEventRow[];

  @Required(schemaTypesType)
  types!: Readonly<Record<string, object>>;
}

const pidType = checked<unknown>({ type: 'integer', format: 'int64' }, 'a whole number', Number.isSafeInteger);
const pidInWords = 'As the guest agent numbers it';
const streams = ['stdout', 'stderr'] as const;

class ExecStarted {
  @Required(constant('started'))
  type!: 'started';

  @Required(pidType, pidInWords)
  pid!: unknown;

  @Required(text(), "The gateway's id of the `guest-exec` that started it")
  operation!: string | undefined;
}

class ExecRunning {
  @Required(constant('running'))
  type!: 'running';

  @Required(pidType, pidInWords)
  pid!: unknown;

  @Required(wholeNumber(), 'Since it was started')
  seconds!: number;
}

class ExecText {
  @Required(constant('output'))
  type!: 'output';

  @Required(choice(streams))
  stream!: (typeof streams)[number];

  @Required(text(), 'When all of the stream is UTF-8')
  text!: string;
}

class ExecBytes {
  @Required(constant('output'))
  type!: 'output';

  @Required(choice(streams))
  stream!: (typeof streams)[number];

  @Required(base64(), 'When some of the stream is not UTF-8')
  base64!: string;
}

class ExecExited {
  @Required(constant('exited'))
  type!: 'exited';

  @Required(pidType, pidInWords)
  pid!: unknown;

  @Required(nullable(wholeNumber({})), 'Null when a signal ended it')
  exitCode!: number | null;

  @Required(nullable(wholeNumber({})), 'That ended it; on Windows the exception')
  signal!: number | null;

  @Required(wholeNumber())
  stdoutBytes!: number;

  @Required(wholeNumber())
  stderrBytes!: number;

  @Required(flag(), 'The agent kept no more of it')
  stdoutTruncated!: boolean;

  @Required(flag(), 'The agent kept no more of it')
  stderrTruncated!: boolean;
}

class ExecProblem {
  @Required(constant('problem'))
  type!: 'problem';

  @Required(pidType, pidInWords)
  pid!: unknown;

  @Required(anything({ $ref: '#/components/schemas/Problem' }))
  problem!: object;
}

/** A line of what is known of a program by now. */
export type ExecLine = ExecStarted | ExecRunning | ExecText | ExecBytes | ExecExited | ExecProblem;

export const execLineType = named(
  'ExecLine',
  'What is known of the program by now. The last one is `exited` or `problem`',
  either<ExecLine>([
    shape<ExecLine>(() => ExecStarted),
    shape<ExecLine>(() => ExecRunning),
    shape<ExecLine>(() => ExecText),
    shape<ExecLine>(() => ExecBytes),
    shape<ExecLine>(() => ExecExited),
    shape<ExecLine>(() => ExecProblem),
  ]),
);

/** Answer to `PUT /v1/vms/{vm}/agent/files`. */
@Shape('WrittenFile')
export class WrittenFile {
  @Required(text())
  path!: string;

  @Required(wholeNumber(), 'In bytes')
  size!: number;

  @Required(text(), 'Of what was written, in hexadecimal digits')
  sha256!: string;

  @Required(flag(), 'It was read back and is the same')
  verified!: boolean;
}
