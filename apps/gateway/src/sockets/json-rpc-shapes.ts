import type { RpcMethod } from '@qmp-gateway/qapi-openapi';
import {
  anyObject,
  anything,
  choice,
  either,
  flag,
  list,
  number,
  text,
  wholeNumber,
  type FieldType,
} from '../http/resource/field-type.js';
import { Optional, Required, Shape, shape, type ShapeSchemas } from '../http/resource/shape.js';
import { cursorType, VmListShape, vmIdType } from '../vms/vm-shapes.js';

const oneOrMore = either<string | readonly string[]>([text(), list(text())], 'anyOf');
const seconds = either<number | string>([number(), text()], 'anyOf');
const durationText = 'Seconds, or a duration: `5`, `"500ms"`';
const int64 = choice(['string', 'number']);
const int64Text = '`string`: integers beyond ±(2^53-1) become strings';
const subscriptionNumber = wholeNumber({ least: 1 });

/** Params of `execute`. */
@Shape('', { closed: true })
export class ExecuteParams {
  @Required(vmIdType)
  vm!: string;

  @Required(text())
  command!: string;

  @Optional(anyObject())
  arguments?: Readonly<Record<string, unknown>>;

  @Optional(flag(), 'Out of band')
  oob?: boolean;

  @Optional(seconds, durationText)
  timeout?: number | string;

  @Optional(flag())
  dryRun?: boolean;

  @Optional(int64, int64Text)
  int64?: 'string' | 'number';

  @Optional(text({ minLength: 1, maxLength: 255 }))
  idempotencyKey?: string;

  @Optional(text())
  epoch?: string;
}

/** Params of `subscribe`. */
@Shape('', { closed: true })
export class SubscribeParams {
  @Optional(oneOrMore)
  vm?: string | readonly string[];

  @Optional(oneOrMore)
  event?: string | readonly string[];

  @Optional(oneOrMore)
  label?: string | readonly string[];

  @Optional(cursorType)
  after?: unknown;

  @Optional(seconds, durationText)
  coalesce?: number | string;

  @Optional(choice(['node']), '`node`: in a fleet, only the events of this gateway, under its own cursors')
  scope?: 'node';

  @Optional(int64, int64Text)
  int64?: 'string' | 'number';
}

/** Params of `unsubscribe`. */
@Shape('', { closed: true })
export class UnsubscribeParams {
  @Required(subscriptionNumber, 'As `subscribe` answered it')
  subscription!: number;
}

/** Params of `vms`. */
@Shape('', { closed: true })
export class VmsParams {
  @Optional(oneOrMore)
  vm?: string | readonly string[];

  @Optional(oneOrMore)
  label?: string | readonly string[];
}

class Subscribed {
  @Required(subscriptionNumber, 'Numbered from 1 per connection')
  subscription!: number;

  @Required(cursorType)
  cursor!: unknown;
}

interface MethodDeclaration {
  readonly summary: string;
  readonly params: FieldType;
  readonly result: FieldType;
}

const methods: Readonly<Record<string, MethodDeclaration>> = {
  execute: {
    summary: 'Run a command',
    params: shape(() => ExecuteParams),
    result: anything({ description: 'What the command returns, as the VM wrote it' }),
  },
  subscribe: {
    summary: 'Be notified of events',
    params: shape(() => SubscribeParams),
    result: shape(() => Subscribed),
  },
  unsubscribe: { summary: 'End a subscription', params: shape(() => UnsubscribeParams), result: anyObject() },
  vms: {
    summary: 'The selected VMs, as `GET /v1/vms`',
    params: shape(() => VmsParams),
    result: shape(() => VmListShape),
  },
  ping: { summary: 'Ask whether anybody answers', params: anyObject(), result: anyObject() },
};

/** The methods of `/v1/ws` as the documents describe them. */
export function rpcMethods({ refer }: ShapeSchemas): RpcMethod[] {
  return Object.entries(methods).map(([name, { summary, params, result }]) => ({
    ...{ name, summary, params: params.schema(refer), result: result.schema(refer) },
  }));
}
