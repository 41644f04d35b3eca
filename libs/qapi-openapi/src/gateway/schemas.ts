/** Schemas of the gateway's own resources (DESIGN.md section 4). Answers are open: later versions may add members. */
import type { JsonSchema } from '../schema-keywords.js';

export const text: JsonSchema = { type: 'string' };
export const flag: JsonSchema = { type: 'boolean' };
export const count: JsonSchema = { type: 'integer', minimum: 0 };
export const moment: JsonSchema = { type: 'string', format: 'date-time' };
export const textList = listOf(text);
export const textOrNull: JsonSchema = { type: ['string', 'null'] };
export const momentOrNull: JsonSchema = { type: ['string', 'null'], format: 'date-time' };
export const operationState: JsonSchema = {
  type: 'string',
  enum: ['running', 'ready', 'done', 'failed', 'cancelled', 'lost'],
};
export const level: JsonSchema = { type: 'string', enum: ['read', 'operate', 'configure', 'host'] };
export const vmId: JsonSchema = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' };
export const duration: JsonSchema = {
  type: 'string',
  pattern: '^[0-9]+(ms|s|m|h|d)?$',
  description: 'Seconds, or with a unit: `5`, `5s`, `500ms`, `10m`',
};
export const cursor: JsonSchema = { type: 'string', description: 'Position in the event stream; opaque' };
const labels: JsonSchema = { type: 'object', additionalProperties: text };

export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

/** An object whose members are all required but for those named in `optional`. */
export function record(properties: Record<string, JsonSchema>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}

/** The same for what a caller sends: nothing else is admitted. */
export function closedRecord(properties: Record<string, JsonSchema>, optional: readonly string[] = []): JsonSchema {
  return { ...record(properties, optional), additionalProperties: false };
}

const commandGlobs = record({ allow: textList, deny: textList }, ['allow', 'deny']);
const tokenMembers = {
  ...{ id: text, level, vms: textList, expires: textOrNull },
  commands: commandGlobs,
  endpoints: textList,
};

/** What the gateway's resources are made of, by component name. */
export function gatewaySchemas(reference: (name: string) => JsonSchema): Record<string, JsonSchema> {
  return {
    ApiRoot: record({ name: text, version: text, run: text, capabilities: textList }),
    Vm: record(
      {
        id: vmId,
        state: { type: 'string', enum: ['connecting', 'negotiating', 'ready', 'waiting', 'busy', 'closed'] },
        health: { enum: ['ok', 'slow', 'unresponsive', null], description: 'Null unless `ready`' },
        runState: { ...textOrNull, description: 'As `query-status` says it; null unless `ready`' },
        since: { ...moment, description: 'When `state` became what it is' },
        retryAt: {
          ...moment,
          description:
            'When a VM that could not be had is dialled again the first time; the dials after that are told only when they change `state` or `lastError.code`',
        },
        epoch: { ...textOrNull, description: 'The session with the VM; opaque, never reused' },
        kind: text,
        version: textOrNull,
        package: { ...textOrNull, description: 'From level `configure` up' },
        name: textOrNull,
        uuid: textOrNull,
        capabilities: textList,
        display: {
          type: ['boolean', 'null'],
          description:
            'Whether it has a display device, so that `screen.png` shows something; null where that is not known',
        },
        schema: { ...textOrNull, description: 'Hash of what the VM says of its own commands' },
        source: { type: 'string', enum: ['settings', 'api', 'discovery'] },
        labels,
        inFlight: { ...count, description: 'Commands sent and not answered' },
        endpoint: { ...text, description: 'From level `configure` up' },
        lastError: {
          type: ['object', 'null'],
          properties: { code: text, detail: { ...text, description: 'From level `configure` up' }, time: moment },
          required: ['code', 'time'],
        },
      },
      [
        'retryAt',
        'version',
        'package',
        'name',
        'uuid',
        'endpoint',
        'lastError',
        'schema',
        'epoch',
        'health',
        'runState',
      ],
    ),
    VmList: record({ vms: listOf(reference('Vm')), cursor }),
    VmRegistration: closedRecord(
      {
        endpoint: { ...text, examples: ['unix:/run/qemu/web-1.qmp', 'tcp:127.0.0.1:4444'] },
        agent: { ...text, description: "Endpoint of the VM's guest agent" },
        kind: { type: 'string', enum: ['auto', 'qemu', 'stratovirt', 'storage-daemon'] },
        labels,
      },
      ['agent', 'kind', 'labels'],
    ),
    VmSchema: record({
      schema: text,
      commands: listOf({
        type: 'object',
        properties: {
          name: text,
          class: { ...level, description: 'By name alone: what decides whether GET is answered' },
          lowestClass: { ...level, description: 'With the most harmless arguments' },
          highestClass: { ...level, description: 'With the most dangerous arguments' },
          summary: text,
        },
        required: ['name'],
      }),
      events: listOf({ type: 'object', properties: { name: text, summary: text }, required: ['name'] }),
      types: { type: 'object' },
    }),
    QmpMessage: {
      description: 'A QMP command as the wire has it; `id` is accepted and ignored',
      oneOf: [
        closedRecord({ execute: text, arguments: { type: 'object' }, id: {} }, ['arguments', 'id']),
        closedRecord({ 'exec-oob': text, arguments: { type: 'object' }, id: {} }, ['arguments', 'id']),
      ],
    },
    FanOutLine: {
      description: 'An answer of one VM, or the end of all answers',
      oneOf: [
        record({ vm: vmId, status: { const: 200 }, cursor, return: {} }),
        record({ vm: vmId, status: { type: 'integer', minimum: 400 }, problem: reference('Problem') }),
        record({ end: { const: true }, selected: count, ok: count, failed: count }),
      ],
    },
    CommandOperation: record(
      {
        id: text,
        vm: vmId,
        command: { ...textOrNull, description: 'Null for a job or a migration that was started past the gateway' },
        state: operationState,
        epoch: { ...textOrNull, description: 'The session its command was written in' },
        started: moment,
        ended: momentOrNull,
        deadline: { ...moment, description: 'When its work counts as failed' },
        progress: {
          type: ['object', 'null'],
          properties: {
            current: count,
            total: count,
            unit: { type: 'string', enum: ['bytes', 'steps'] },
            rate: { type: ['integer', 'null'], description: 'Units per second' },
            estimatedEnd: momentOrNull,
          },
          required: ['current', 'total', 'unit', 'rate', 'estimatedEnd'],
        },
        error: {
          type: ['object', 'null'],
          properties: { code: text, detail: { ...text, description: 'What QEMU said, where it said something' } },
          required: ['code', 'detail'],
        },
        job: record({ id: text, type: textOrNull, status: textOrNull }),
        events: {
          ...listOf(record({ cursor, event: text, data: { type: 'object' }, time: moment })),
          description: 'The newest 32 events that belong to it',
        },
        return: { description: 'What the command returned; lists leave it out' },
        problem: reference('Problem'),
      },
      ['deadline', 'job', 'return', 'problem'],
    ),
    CommandOperationList: record({ operations: listOf(reference('CommandOperation')) }),
    CommandOperationPage: record({ operations: listOf(reference('CommandOperation')), cursor }),
    StreamEvent: record(
      {
        cursor,
        vm: { ...textOrNull, description: 'Null in what concerns all VMs' },
        epoch: textOrNull,
        event: { ...text, description: "Upper-case: the VM's. Lower-case: the gateway's own" },
        data: { type: 'object' },
        timestamp: {
          type: 'object',
          description: "The VM's clock; -1 where it had none",
          properties: { seconds: { type: 'integer' }, microseconds: { type: 'integer' } },
          required: ['seconds', 'microseconds'],
        },
        time: { ...moment, description: 'When the gateway received it' },
        coalesced: { ...count, description: 'How many events this one stands for' },
      },
      ['vm', 'epoch', 'timestamp', 'time', 'coalesced', 'data'],
    ),
    EventPage: record({ events: listOf(reference('StreamEvent')), cursor, oldest: cursor }),
    TokenRequest: closedRecord(
      {
        ...{ name: text, level, expires: duration },
        vms: { ...textList, description: "Ids, globs or `label:key=glob`; the maker's when absent" },
        commands: {
          ...closedRecord({ allow: textList, deny: textList }, ['allow', 'deny']),
          description: 'Names of commands or globs; within what the maker may run, and never what the maker may not',
        },
        endpoints: {
          ...textList,
          description: 'Globs of endpoints at which it may register VMs without level `host`; none when absent',
        },
      },
      ['name', 'vms', 'expires', 'commands', 'endpoints'],
    ),
    Token: record({ ...tokenMembers, name: textOrNull }, ['name', 'expires', 'commands', 'endpoints']),
    TokenList: record({ tokens: listOf(reference('Token')) }),
    NewToken: record({ ...tokenMembers, token: { ...text, description: 'Shown this once' } }, [
      'expires',
      'commands',
      'endpoints',
    ]),
    Access: record(
      {
        principal: text,
        level,
        vms: textList,
        commands: commandGlobs,
        allowed: {
          oneOf: [flag, { type: 'string', enum: ['by-arguments'] }],
          description:
            'With `vm` and `command`, as the members below. True or false: whatever the arguments are; ' +
            'of a POST: with these arguments',
        },
        class: { ...level, description: 'Of the command without arguments; of a POST: with these arguments' },
        rule: text,
        reason: text,
        lowestClass: { ...level, description: 'Of the command, whatever its arguments; not in the answer to a POST' },
        highestClass: level,
        argumentRules: {
          ...listOf(record({ class: level, rule: text, reason: text })),
          description: 'The rules about arguments, each with the class it comes to',
        },
      },
      ['commands', 'allowed', 'class', 'rule', 'reason', 'lowestClass', 'highestClass', 'argumentRules'],
    ),
    AccessRequest: closedRecord(
      {
        vm: vmId,
        command: { ...text, description: "A command's QAPI name" },
        agent: { ...flag, description: "The command is the guest agent's" },
        arguments: { type: 'object', description: 'The `arguments` object of the command' },
      },
      ['agent', 'arguments'],
    ),
  };
}
