/**
 * @qmp-gateway/client: a typed client of the gateway for browsers and Node.js.
 *
 * Commands and events have the types of the newest QEMU that the gateway knows (others work too, untyped), 64-bit
 * integers are `bigint`, problems are typed errors, and event streams resume after any loss. It needs only `fetch` and
 * `WebSocket` (Node.js before 22 has none: pass one). The gateway and the VM decide what a VM accepts: this package
 * validates nothing, and sends nothing twice.
 */
export { GatewayClient, type FanOutOptions, type GatewayClientOptions, type VmSelection } from './gateway-client.js';
export { VmClient, type AccessOptions, type KeyOptions } from './vm-client.js';
export { AgentClient, type AgentOptions } from './agent-client.js';
export type { GuestAgent, WrittenFile } from './generated/gateway-types.js';
export { DisplayClient, type DisplayOptions } from './display-client.js';
export { SerialClient, SerialStream, type SerialOptions, type SerialPart } from './serial-client.js';
export { isTerminalReply } from './terminal-reply.js';
export type { ExecLine, ExecRequest } from './gateway-types.js';
export type {
  ArgumentsOf,
  CommandAnswer,
  CommandName,
  DryRun,
  ExecuteOptions,
  QueryName,
  QueryOptions,
  ReturnOf,
} from './commands.js';
export type { EventStreamOptions } from './event-stream.js';
export type { AnyEvent, EventHistory, EventName, GapEvent, GatewayEvent, OwnEvent, QmpEvent } from './events.js';
export {
  GatewayClosed,
  GatewayProblem,
  GatewayUnreachable,
  type Outcome,
  type ProblemDocument,
} from './gateway-problem.js';
export type { Fetch, Token } from './gateway-http.js';
export type {
  ApiRoot,
  Display,
  DisplayList,
  NewToken,
  Node,
  QomObject,
  QomTree,
  Serial,
  SerialList,
  Token as StoredToken,
  TokenRequest,
  Vm,
  VmList,
  VmRegistration,
  VmSchema,
} from './generated/gateway-types.js';
export type {
  CommandDecision,
  CommandOperation,
  CommandOutlook,
  Grant,
  Level,
  ListedOperation,
  OperationList,
  OperationState,
  FanOutLine,
  QomView,
  SchemaCommand,
  SchemaTypes,
} from './gateway-types.js';
export type { WebSocketConstructor, WebSocketLike } from './event-transport.js';
export { JsonText, readJson, writeJson } from './lossless-json.js';
export type { ProblemCode } from './generated/problem-codes.js';
export type * as qapi from './generated/qapi-types.js';
