import type { CommandClass } from '@qmp-gateway/catalog';
import {
  anything,
  choice,
  constant,
  duration,
  either,
  flag,
  list,
  mapOf,
  moment,
  nullable,
  text,
  wholeNumber,
} from '../http/resource/field-type.js';
import { Optional, Required, Shape, shape } from '../http/resource/shape.js';
import { levelType } from '../access/level-type.js';
import { VmSelection } from '../access/vm-selection.js';
import { settingField } from '../http/resource/setting-field.js';
import { vmIdPattern, VmSettings, type VmKind } from '../settings/vm-definition.js';

const fromConfigureUp = 'From level `configure` up';
/** Of one page: some 8 MB. */
const mostRows = 10_000;
export const vmIdType = text({ pattern: vmIdPattern });
/** A position in the event stream. */
export const cursorType = anything({ type: 'string', description: 'Position in the event stream; opaque' });

class LastErrorShape {
  @Required(text())
  code!: string;

  @Optional(text(), fromConfigureUp)
  detail?: string;

  @Required(moment())
  time!: string;
}

class AgentSummary {
  @Optional(text(), fromConfigureUp)
  endpoint?: string;

  @Required(choice(['connecting', 'ready', 'silent', 'busy', 'waiting']))
  state!: 'connecting' | 'ready' | 'silent' | 'busy' | 'waiting';

  @Required(moment(), 'When `state` became what it is')
  since!: string;

  @Required(nullable(shape(() => LastErrorShape)))
  lastError!: LastErrorShape | null;
}

/** A VM as `GET /v1/vms/{vm}` shows it. */
@Shape('Vm')
export class VmShape {
  @Required(vmIdType)
  id!: string;

  @Optional(
    wholeNumber(),
    'In a fleet, of a VM whose endpoint several nodes share: the lease under which its node has it; of two the greater counts',
  )
  lease?: number;

  @Required(
    choice(['connecting', 'negotiating', 'ready', 'waiting', 'busy', 'closed', 'unreachable']),
    '`unreachable`: at a node of the fleet that is not heard',
  )
  state!: 'connecting' | 'negotiating' | 'ready' | 'waiting' | 'busy' | 'closed' | 'unreachable';

  @Required(nullable(choice(['ok', 'slow', 'unresponsive'])), 'Null unless `ready`')
  health!: 'ok' | 'slow' | 'unresponsive' | null;

  @Required(nullable(text()), 'As `query-status` says it; null unless `ready`')
  runState!: string | null;

  @Required(moment(), 'When `state` became what it is')
  since!: string;

  @Optional(
    moment(),
    'When a VM that could not be reached is dialled again for the first time; later dials show only when they change `state` or `lastError.code`',
  )
  retryAt?: string;

  @Required(nullable(text()), 'The session with the VM; opaque, never reused')
  epoch!: string | null;

  @Required(nullable(text()), 'Null before the first session, unless its registration says it')
  kind!: string | null;

  @Required(nullable(text()))
  version!: string | null;

  @Required(nullable(text()))
  package!: string | null;

  @Required(nullable(text()))
  name!: string | null;

  @Required(nullable(text()))
  uuid!: string | null;

  @Required(list(text()))
  capabilities!: readonly string[];

  @Required(
    nullable(flag()),
    'Whether it has a display device, so that `screen.png` shows something; null where that is not known',
  )
  display!: boolean | null;

  @Required(nullable(text()), 'Hash of what the VM says of its own commands')
  schema!: string | null;

  @Required(choice(['settings', 'api', 'discovery']))
  source!: 'settings' | 'api' | 'discovery';

  @Required(mapOf(text()))
  labels!: Readonly<Record<string, string>>;

  @Optional(wholeNumber(), 'Commands sent and not answered; not in `vm-changed` events')
  inFlight?: number;

  @Optional(text(), fromConfigureUp)
  endpoint?: string;

  @Optional(shape(() => AgentSummary), 'The guest agent, where one is registered')
  agent?: AgentSummary;

  @Required(nullable(shape(() => LastErrorShape)))
  lastError!: LastErrorShape | null;

  @Optional(text(), 'In a fleet: the node that the VM is at')
  node?: string;

  @Optional(moment(), 'In lists of a fleet, and where that node cannot be asked: when it was last heard')
  heard?: string;
}

@Shape('VmList')
export class VmListShape {
  @Required(list(shape(() => VmShape)))
  vms!: VmShape[];

  @Required(cursorType, 'Of the first page, in each page')
  cursor!: unknown;

  @Optional(text(), 'There is more: as `continue` of the next request')
  continue?: string;
}

/** `<cursor>~<id>~<node>`: where the first page was in the events, and the last row of the page before. */
const continuationPattern = /^([A-Za-z0-9._-]{1,100})~([A-Za-z0-9][A-Za-z0-9._-]{0,127})~([^~]{0,255})$/;

/** Query of `GET /v1/vms`. */
export class VmListQuery extends VmSelection {
  @Optional(text({ minLength: 1, maxLength: 255 }), 'VMs of this node of the fleet only')
  node: string | undefined = undefined;

  @Optional(
    wholeNumber({ least: 1, most: mostRows }),
    'Rows of one page at most, in the order of ids; absent: all VMs at one moment',
  )
  limit: number | undefined = undefined;

  @Optional(
    text({ pattern: continuationPattern, takes: 'what the page before had as `continue`' }),
    'The next page: `continue` of the one before',
  )
  continue: string | undefined = undefined;

  /** Where the page before ended. */
  place(): { readonly cursor: string; readonly id: string; readonly node: string } | undefined {
    const [, cursor = '', id = '', node = ''] = continuationPattern.exec(this.continue ?? '') ?? [];
    return cursor === '' ? undefined : { cursor, id, node };
  }
}

/** What {@link VmListQuery.place} reads. */
export function continuation(cursor: string, { id, node }: { readonly id: string; readonly node: string }): string {
  return `${cursor}~${id}~${node}`;
}

/** Body of `PUT /v1/vms/{vm}`: of the settings of a VM those that are not for operators alone. */
@Shape('VmRegistration', { closed: true })
export class VmRegistration {
  @Required(
    settingField(VmSettings, 'endpoint'),
    'As QEMU spells it: `unix:/path`, `tcp:host:port`, `tls:host:port`, `listen:unix:/path`',
  )
  endpoint!: string;

  @Optional(settingField(VmSettings, 'agent'), "Endpoint of the VM's guest agent")
  agent?: string;

  @Optional(settingField(VmSettings, 'kind'))
  kind?: VmKind;

  @Optional(settingField(VmSettings, 'labels'))
  labels?: Readonly<Record<string, string>>;
}

/** Query of `GET /v1/vms/{vm}`. */
export class VmWait {
  @Optional(duration({ most: '120s' }), 'Answer when the VM is `ready`, or after this time with what is')
  wait: string | undefined = undefined;
}

/** Headers of `PUT /v1/vms/{vm}`. */
export class Creation {
  @Optional(choice(['*']), '`*`: create only')
  'If-None-Match': '*' | undefined = undefined;
}

export class SchemaCommandRow {
  @Required(text())
  name!: string;

  @Required(levelType, 'By name alone: what decides whether GET is answered')
  class!: CommandClass;

  @Required(levelType, 'With the most harmless arguments')
  lowestClass!: CommandClass;

  @Required(levelType, 'With the most dangerous arguments')
  highestClass!: CommandClass;

  @Required(nullable(text()))
  summary!: string | null;

  @Required(flag())
  deprecated!: boolean;

  @Required(flag(), 'It can be run out of band')
  oob!: boolean;

  @Required(text(), 'Name of the type of its arguments')
  arguments!: string;

  @Required(text(), 'Name of the type it returns; a list of it is `[name]`')
  returns!: string;

  @Optional(constant(false), 'The gateway does not run it')
  offered?: false;

  @Optional(text(), 'Why not')
  reason?: string;

  @Optional(constant(true), 'It takes members that its schema does not list')
  openArguments?: true;
}

export class SchemaEventRow {
  @Required(text())
  name!: string;

  @Required(nullable(text()))
  summary!: string | null;

  @Required(flag())
  deprecated!: boolean;

  @Required(text(), 'Name of the type of its data')
  data!: string;
}

class TypeMember {
  @Required(text())
  name!: string;

  @Required(text(), 'Name of a type; a list of it is `[name]`')
  type!: string;

  @Required(flag())
  optional!: boolean;

  @Optional(constant(true))
  deprecated?: true;
}

class EnumTypeShape {
  @Required(constant('enum'))
  kind!: 'enum';

  @Required(list(text()))
  values!: string[];
}

class AlternateTypeShape {
  @Required(constant('alternate'))
  kind!: 'alternate';

  @Required(list(text()), 'The types a value may have')
  types!: string[];
}

class ObjectTypeShape {
  @Required(constant('object'))
  kind!: 'object';

  @Required(list(shape(() => TypeMember)))
  members!: TypeMember[];

  @Optional(text(), 'The member that says which variant it is')
  tag?: string;

  @Optional(mapOf(text()), 'By value of the tag: the type that holds its further members')
  variants?: Readonly<Record<string, string>>;
}

/** Types by name, as commands and events refer to them. */
export const schemaTypesType = mapOf(
  either<object>([shape(() => EnumTypeShape), shape(() => AlternateTypeShape), shape(() => ObjectTypeShape)]),
);

@Shape('VmSchema')
export class VmSchemaShape {
  @Required(text(), 'Hash of what the VM says of its own commands')
  schema!: string;

  @Required(list(shape(() => SchemaCommandRow)))
  commands!: SchemaCommandRow[];

  @Required(list(shape(() => SchemaEventRow)))
  events!: SchemaEventRow[];

  @Required(schemaTypesType)
  types!: Readonly<Record<string, object>>;
}
