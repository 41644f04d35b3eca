/** What the gateways of a fleet say to each other over NATS. Pure: nothing here sends, waits or keeps time. */
export {
  decodeNodeRecord,
  decodeSnapshot,
  encodeNodeRecord,
  encodeSnapshot,
  isViewOf,
  RecordFault,
  type NodeRecord,
  type SnapshotVm,
} from './node-record.js';
export { fleetNamePattern, FleetSubjects, nodeNamePattern, nodeOfToken, tokenOf } from './subjects.js';
export { decodeFrame, encodeFrame, mostHeadBytes, type Frame } from './frame.js';
export {
  protocolVersion,
  readPartHead,
  readRequestHead,
  refusals,
  type LastPart,
  type PartHead,
  type Refusal,
  type RequestHead,
  type SentPrincipal,
} from './exchange-heads.js';
export { onePartBytes, partBytes, PartReceiver, PartSender, partWindow, type TakenPart } from './parts.js';
export {
  batchHeaderName,
  batchId,
  batchVersion,
  encodeBatch,
  heartbeatId,
  mostBatchBytes,
  mostBatchLines,
  mostHeaderLength,
  readBatch,
  usualBatchBytes,
  type Batch,
  type BatchFault,
  type BatchHead,
  type EncodedBatch,
} from './batch.js';
export { endOf, incarnationOf, placeOf, placesOfMessage, sequenceOf } from './fleet-cursor.js';
