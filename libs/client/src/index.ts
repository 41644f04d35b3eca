/**
 * @qmp-gateway/client: the gateway for programs in browsers and Node.
 *
 * Commands and events with the types of the newest QEMU the gateway knows (others work too, untyped), 64-bit integers
 * as `bigint`, problems as typed errors, and event streams that find their way back after any loss. It needs `fetch`
 * and `WebSocket` (Node before 22 has none: pass one) and nothing else. What a VM takes is decided by the gateway and
 * the VM: nothing is validated here, and nothing is sent twice.
 */
export { GatewayClient, type FanOutOptions, type GatewayClientOptions, type VmSelection } from './gateway-client.js';
export { VmClient, type AccessOptions, type KeyOptions } from './vm-client.js';
export { AgentClient, type AgentOptions } from './agent-client.js';
export type { ExecLine, ExecRequest, GuestAgent, WrittenFile } from './agent-resources.js';
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
export type { AnyEvent, EventName, GapEvent, GatewayEvent, OwnEvent, QmpEvent } from './events.js';
export { GatewayProblem, GatewayUnreachable, type Outcome, type ProblemDocument } from './gateway-problem.js';
export type { Fetch, Token } from './gateway-http.js';
export type {
  ApiRoot,
  CommandDecision,
  CommandOperation,
  CommandOutlook,
  Grant,
  Level,
  ListedOperation,
  OperationList,
  OperationState,
  FanOutLine,
  QomObject,
  QomTree,
  QomView,
  Vm,
  VmList,
  VmRegistration,
} from './resources.js';
export type { WebSocketConstructor, WebSocketLike } from './websocket-events.js';
export { readJson, writeJson } from './lossless-json.js';
export type { ProblemCode } from './generated/problem-codes.js';
export type * as qapi from './generated/qapi-types.js';
