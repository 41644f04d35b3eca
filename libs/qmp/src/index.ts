/**
 * A QMP client: one long-lived connection to one monitor, re-established until its owner stops it.
 *
 * It takes an endpoint and an owner (`MonitorHost`), and promises: each `Execution` is settled exactly once with what
 * is known about it; events reach the owner in order; the socket is always read. It leaves to others: queues, deadlines
 * of commands, the meaning of commands and events, and everything about HTTP. It has no dependencies.
 */
export type { AnomalyKind } from './anomaly.js';
export { systemClock, type Clock, type Timer } from './clock.js';
export type { DescriptorPassage } from './descriptor-passage.js';
export type { DialectName } from './dialects/dialects.js';
export { EndpointError, isExposed, parseEndpoint, type Endpoint } from './endpoint.js';
export type { Execution, Settlement } from './execution.js';
export type { LastError, LastErrorCode } from './last-error.js';
export type { Greeting } from './greeting.js';
export type { Health } from './health-watch.js';
export {
  IllegalTransitionError,
  monitorTransitions,
  type MonitorState,
  type MonitorStateName,
} from './monitor-state.js';
export { PreparationError, type MonitorHost, type MonitorOptions } from './monitor-host.js';
export { Backoff } from './backoff.js';
export { Monitor } from './monitor.js';
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
export { Semaphore } from './semaphore.js';
export {
  cutText,
  isDefinitionName,
  isEventName,
  serverBounds,
  shownText,
  wholeText,
  type ServerBound,
} from './server-bounds.js';
export type { QmpEvent, SessionInfo } from './session-info.js';
export { TokenBucket } from './token-bucket.js';
export type { TlsOptions } from './transport.js';
export { holdFile, linkFault, type HeldFile } from './unix-sockets/link-free-path.js';
export { listenOnSocketFile } from './unix-sockets/socket-server.js';
export {
  directoryFault,
  membershipFault,
  nameFault,
  passageFault,
  type DirectoryUser,
} from './unix-sockets/trusted-directory.js';
