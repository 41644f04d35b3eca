/**
 * A QMP client: one long-lived connection to one monitor, kept up for as long as its owner wants it.
 *
 * It takes an endpoint and an owner (`MonitorHost`), and promises: each `Execution` is settled exactly once and says
 * honestly what is known; events reach the owner in order; the socket is always read. It leaves to others: queues,
 * deadlines of commands, the meaning of commands and events, and everything about HTTP. No dependencies.
 */
export type { AnomalyKind } from './anomaly.js';
export { systemClock, type Clock, type Timer } from './clock.js';
export { DialGate } from './dial-gate.js';
export { EndpointError, isExposed, parseEndpoint, type Endpoint } from './endpoint.js';
export type { Execution, Outcome } from './execution.js';
export type { Fault, FaultCode } from './fault.js';
export type { Health } from './health-watch.js';
export {
  IllegalTransitionError,
  monitorTransitions,
  type MonitorState,
  type MonitorStateName,
} from './monitor-state.js';
export { Monitor, PreparationError, type MonitorHost, type MonitorOptions } from './monitor.js';
export { ownBytes } from './own-bytes.js';
export {
  asNumber,
  asObject,
  asObjects,
  asText,
  parsedJson,
  returnedList,
  returnedObject,
  type PeerObject,
} from './peer-json.js';
export {
  cutText,
  isDefinitionName,
  isEventName,
  serverBounds,
  shownText,
  wholeText,
  type ServerBound,
} from './server-bounds.js';
export type { DialectName, Greeting, QmpEvent, SessionInfo } from './session-info.js';
export { TokenBucket } from './token-bucket.js';
export type { TlsOptions } from './transport.js';
export { linkFault } from './unix-sockets/link-free-path.js';
export { listenOnSocketFile } from './unix-sockets/socket-server.js';
export {
  directoryFault,
  membershipFault,
  nameFault,
  passageFault,
  type DirectoryUser,
} from './unix-sockets/trusted-directory.js';
