/**
 * AsyncAPI 3: events over HTTP streams, JSON-RPC over WebSocket, and the shared monitor.
 *
 * `send` and `receive` are from the gateway's point of view, as AsyncAPI requires. A message is a component of its own,
 * so both event channels refer to the same ones.
 */
import type { Event, QapiModel } from '@qmp-gateway/qapi';
import { annotations, SchemaComponents } from './json-schema.js';
import { rpcErrorSchema, rpcEventSchema, type RpcMethod } from './json-rpc.js';
import { problemSchema } from './problems.js';
import { record, textSchema } from './records.js';
import type { JsonSchema } from './schema-keywords.js';
import { sortedRecord } from './sorted.js';

/** A message of a channel that a resource declares. */
export interface ChannelMessage {
  readonly name: string;
  readonly title: string;
  readonly summary?: string;
  /** Of a JSON text frame; absent: a binary frame. */
  readonly payload?: JsonSchema;
}

/** A WebSocket that a resource declares. */
export interface ResourceChannel {
  /** Of the channel; its operations are called after it. */
  readonly name: string;
  readonly address: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, { description: string }>>;
  readonly sends: readonly ChannelMessage[];
  readonly receives: readonly ChannelMessage[];
}

/** What the document says of a gateway itself. */
export interface GatewayChannels {
  /** Component schemas; `Vm`, `CommandOperation`, `StreamEvent` and `EventGap` are among them. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly rpcMethods: readonly RpcMethod[];
  readonly channels: readonly ResourceChannel[];
}

export interface AsyncApiOptions {
  readonly gateway: GatewayChannels;
  readonly title?: string;
  readonly version?: string;
  /** Summary of an event; takes precedence over the model's. */
  readonly summary?: (event: Event) => string | undefined;
}

interface Reference {
  $ref: string;
}

interface Message {
  name: string;
  title: string;
  summary?: string;
  contentType?: string;
  payload: JsonSchema;
  [extension: `x-${string}`]: unknown;
}

interface Channel {
  address: string;
  title: string;
  description: string;
  servers: Reference[];
  parameters?: Record<string, { description: string }>;
  messages: Record<string, Reference>;
}

interface Operation {
  action: 'send' | 'receive';
  channel: Reference;
  title: string;
  summary?: string;
  messages: Reference[];
  reply?: { channel: Reference; messages: Reference[] };
}

export interface AsyncApiDocument {
  asyncapi: '3.0.0';
  info: { title: string; version: string; description: string; license: { name: string } };
  defaultContentType: 'application/json';
  servers: Record<string, { host: string; protocol: string; description: string; security: Reference[] }>;
  channels: Record<string, Channel>;
  operations: Record<string, Operation>;
  components: {
    messages: Record<string, Message>;
    schemas: Record<string, JsonSchema>;
    securitySchemes: Record<string, { type: 'http'; scheme: 'bearer'; description: string }>;
  };
}

const schemaPrefix = '#/components/schemas/';

/** AsyncAPI 3 for the events of `model` (the newest catalog) and for the gateway's WebSockets. */
export function asyncApiDocument(model: QapiModel, options: AsyncApiOptions): AsyncApiDocument {
  const schemas = new SchemaComponents({ prefix: schemaPrefix, discriminator: false });
  const ownSchema = (name: string): JsonSchema => ({ $ref: schemaPrefix + name });
  schemas.add('Problem', problemSchema);
  const { rpcMethods, schemas: ownSchemas, channels } = options.gateway;
  for (const [name, schema] of Object.entries(ownSchemas)) schemas.add(name, schema);

  const events = sortedRecord(
    [...model.events.values()].map((event) => [event.name, eventMessage(event, schemas, options)]),
  );
  const streamed = { ...events, ...gatewayEvents(ownSchema) };
  const rpc = rpcMessages(rpcMethods, ownSchema);
  return {
    asyncapi: '3.0.0',
    info: {
      title: options.title ?? 'qmp-gateway events',
      version: options.version ?? '1',
      description: 'Events of QMP monitors and the WebSockets of the gateway.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      http: server('http', 'Event streams: SSE, NDJSON or JSON by `Accept`'),
      ws: server('ws', 'WebSockets; the token in `Authorization` or as sub-protocol `bearer.<token>`'),
    },
    channels: { ...channelsOf(Object.keys(streamed), Object.keys(rpc)), ...resourceChannels(channels) },
    operations: {
      streamEvents: sends('events', 'Stream events', Object.keys(streamed)),
      streamVmEvents: sends('vmEvents', 'Stream events of one VM', Object.keys(streamed)),
      ...rpcOperations(rpcMethods),
      ...monitorOperations,
      ...resourceOperations(channels),
    },
    components: {
      messages: { ...streamed, ...rpc, ...monitorMessages, ...resourceMessages(channels) },
      schemas: schemas.schemas(),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A token of the gateway' } },
    },
  };
}

/** @param streamed names of the messages of event streams @param rpc of JSON-RPC */
function channelsOf(streamed: readonly string[], rpc: readonly string[]): AsyncApiDocument['channels'] {
  return {
    events: {
      address: '/v1/events',
      title: 'Events of the selected VMs',
      description: 'In order; from the cursor given, nothing missing and nothing twice, or a `gap` that says so.',
      servers: [{ $ref: '#/servers/http' }],
      messages: messageReferences(streamed),
    },
    vmEvents: {
      address: '/v1/vms/{vm}/events',
      title: 'Events of one VM',
      description: 'As `events`, of one VM.',
      servers: [{ $ref: '#/servers/http' }],
      parameters: { vm: { description: 'Id of the VM' } },
      messages: messageReferences(streamed),
    },
    jsonRpc: {
      address: '/v1/ws',
      title: 'JSON-RPC 2.0',
      description: 'Sub-protocol `qmp-gateway.v1`, text frames. Requests may be pipelined; answers come in any order.',
      servers: [{ $ref: '#/servers/ws' }],
      messages: messageReferences(rpc),
    },
    monitor: {
      address: '/v1/vms/{vm}/monitor',
      title: 'Shared monitor',
      description: 'Native QMP: greeting, `qmp_capabilities`, commands, events. Sub-protocol `qmp`, or none.',
      servers: [{ $ref: '#/servers/ws' }],
      parameters: { vm: { description: 'Id of the VM' } },
      messages: messageReferences(Object.keys(monitorMessages)),
    },
  };
}

function resourceChannels(declared: readonly ResourceChannel[]): AsyncApiDocument['channels'] {
  const channels = declared.map(({ name, sends: sent, receives, ...channel }): [string, Channel] => [
    name,
    {
      ...channel,
      servers: [{ $ref: '#/servers/ws' }],
      messages: messageReferences([...sent, ...receives].map((message) => message.name)),
    },
  ]);
  return Object.fromEntries(channels);
}

function resourceMessages(declared: readonly ResourceChannel[]): Record<string, Message> {
  const messages = declared.flatMap(({ sends: sent, receives }) => [...sent, ...receives]);
  return Object.fromEntries(messages.map((message) => [message.name, { ...binary, ...message }]));
}

const binary = { contentType: 'application/octet-stream', payload: { type: 'string', format: 'binary' } } as const;

function resourceOperations(declared: readonly ResourceChannel[]): Record<string, Operation> {
  const operations = declared.flatMap(({ name, title, sends: sent, receives }): [string, Operation][] => [
    [
      `${name}Send`,
      sends(
        name,
        `${title}: to the client`,
        sent.map((message) => message.name),
      ),
    ],
    [
      `${name}Receive`,
      {
        ...sends(
          name,
          `${title}: from the client`,
          receives.map((message) => message.name),
        ),
        action: 'receive',
      },
    ],
  ]);
  return Object.fromEntries(operations);
}

function server(protocol: string, description: string): AsyncApiDocument['servers'][string] {
  return {
    host: '127.0.0.1:8080',
    protocol,
    description,
    security: [{ $ref: '#/components/securitySchemes/bearer' }],
  };
}

function messageReferences(names: readonly string[]): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]));
}

function channelMessages(channel: string, names: readonly string[]): Reference[] {
  return names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));
}

function sends(channel: string, title: string, names: readonly string[]): Operation {
  return {
    action: 'send',
    channel: { $ref: `#/channels/${channel}` },
    title,
    messages: channelMessages(channel, names),
  };
}

function eventMessage(event: Event, schemas: SchemaComponents, options: AsyncApiOptions): Message {
  const summary = options.summary?.(event) ?? event.summary;
  const { 'x-qapi-features': features } = annotations(event.features);
  return {
    ...streamMessage(event.name, schemas.reply(event.data), summary),
    ...(event.module !== undefined && { 'x-qapi-module': event.module }),
    ...(event.since !== undefined && { 'x-qapi-since': event.since }),
    ...(features !== undefined && { 'x-qapi-features': features }),
  };
}

function streamMessage(name: string, data: JsonSchema, summary: string | undefined): Message {
  const own: JsonSchema = { type: 'object', properties: { event: { const: name }, data } };
  return {
    name,
    title: name,
    ...(summary !== undefined && { summary }),
    payload: { allOf: [{ $ref: `${schemaPrefix}StreamEvent` }, own] },
  };
}

/** The gateway's own events; their names are lower-case, those of QAPI upper-case. */
function gatewayEvents(schema: (name: string) => JsonSchema): Record<string, Message> {
  return {
    'vm-changed': streamMessage('vm-changed', schema('Vm'), 'A VM is not what it was, but for its `inFlight`'),
    'vm-removed': streamMessage('vm-removed', { type: 'object' }, 'A VM was forgotten'),
    operation: streamMessage(
      'operation',
      schema('CommandOperation'),
      'What became of work that goes on after its reply',
    ),
    bookmark: streamMessage('bookmark', { type: 'object' }, 'The position reached (NDJSON with `bookmarks=true`)'),
    gap: streamMessage('gap', schema('EventGap'), 'Events are missing from this stream here'),
  };
}

function rpcMessages(rpcMethods: readonly RpcMethod[], schema: (name: string) => JsonSchema): Record<string, Message> {
  const messages = rpcMethods.flatMap((method): [string, Message][] => [
    [requestName(method), rpcMessage(requestName(method), method.summary, requestSchema(method))],
    [resultName(method), rpcMessage(resultName(method), undefined, resultSchema(method))],
  ]);
  return {
    ...Object.fromEntries(messages),
    rpcError: rpcMessage('rpcError', 'A request failed; `data` is the problem', rpcErrorSchema(schema('Problem'))),
    rpcEvent: rpcMessage('rpcEvent', 'An event of a subscription', rpcEventSchema(schema('StreamEvent'))),
  };
}

function rpcMessage(name: string, summary: string | undefined, payload: JsonSchema): Message {
  return { name, title: name, ...(summary !== undefined && { summary }), payload };
}

const rpcId: JsonSchema = { type: ['string', 'number', 'null'], description: 'Echoed as it came' };

function requestName(method: RpcMethod): string {
  return `${method.name}Request`;
}

function resultName(method: RpcMethod): string {
  return `${method.name}Result`;
}

function requestSchema(method: RpcMethod): JsonSchema {
  const optional = method.params.required ? [] : ['params'];
  return record(
    { jsonrpc: { const: '2.0' }, id: rpcId, method: { const: method.name }, params: method.params },
    optional,
  );
}

function resultSchema({ result }: RpcMethod): JsonSchema {
  return record({ jsonrpc: { const: '2.0' }, id: rpcId, result });
}

function rpcOperations(rpcMethods: readonly RpcMethod[]): Record<string, Operation> {
  const channel = { $ref: '#/channels/jsonRpc' };
  const methods = rpcMethods.map((method): [string, Operation] => [
    method.name,
    {
      action: 'receive',
      channel,
      title: method.name,
      summary: method.summary,
      messages: channelMessages('jsonRpc', [requestName(method)]),
      reply: { channel, messages: channelMessages('jsonRpc', [resultName(method), 'rpcError']) },
    },
  ]);
  return { ...Object.fromEntries(methods), notifyEvents: sends('jsonRpc', 'Notify of events', ['rpcEvent']) };
}

const anyId: JsonSchema = { description: 'Any value; echoed as it came' };

const monitorMessages: Record<string, Message> = {
  monitorGreeting: {
    name: 'monitorGreeting',
    title: 'Greeting',
    summary: "The VM's own, before anything else",
    payload: record({
      QMP: record({ version: { type: 'object' }, capabilities: { type: 'array', items: textSchema } }),
    }),
  },
  monitorCommand: {
    name: 'monitorCommand',
    title: 'Command',
    payload: {
      oneOf: [
        record({ execute: textSchema, arguments: { type: 'object' }, id: anyId }, ['arguments', 'id']),
        record({ 'exec-oob': textSchema, arguments: { type: 'object' }, id: anyId }, ['arguments', 'id']),
      ],
    },
  },
  monitorReply: {
    name: 'monitorReply',
    title: 'Reply',
    payload: {
      oneOf: [
        record({ return: {}, id: anyId }, ['id']),
        record({ error: record({ class: textSchema, desc: textSchema }), id: anyId }, ['id']),
      ],
    },
  },
  monitorEvent: {
    name: 'monitorEvent',
    title: 'Event',
    summary: 'After negotiation',
    payload: record({ event: textSchema, data: { type: 'object' }, timestamp: { type: 'object' } }, ['data']),
  },
};

const monitorChannel: Reference = { $ref: '#/channels/monitor' };

const monitorOperations: Record<string, Operation> = {
  greet: sends('monitor', 'Greet', ['monitorGreeting']),
  runMonitorCommand: {
    action: 'receive',
    channel: monitorChannel,
    title: 'Run a command',
    messages: channelMessages('monitor', ['monitorCommand']),
    reply: { channel: monitorChannel, messages: channelMessages('monitor', ['monitorReply']) },
  },
  announceMonitorEvents: sends('monitor', 'Announce events', ['monitorEvent']),
};
