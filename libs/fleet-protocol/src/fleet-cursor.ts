import { createHash } from 'node:crypto';

/** Places in one message of the stream: its lines, and its end. */
export const placesOfMessage = 4096;
/** Beyond it places would be no exact numbers any more. */
const lastSequence = Math.floor(Number.MAX_SAFE_INTEGER / placesOfMessage) - 1;

/**
 * The first part of a fleet's cursors: it lives as long as the stream does, over restarts of gateways and servers, and is
 * another one when the stream is made anew.
 * @param created when the stream was made, as the server tells it
 */
export function incarnationOf(fleet: string, created: string): string {
  const digest = createHash('sha256').update(`${fleet}\n${created}`).digest();
  return `f${digest.readBigUInt64BE().toString(36).padStart(13, '0').slice(0, 12)}`;
}

/**
 * The number of an event in its fleet.
 * @param sequence of its message in the stream, from 1
 * @param index of its line, from 0
 * @throws RangeError for what no message has
 */
export function placeOf(sequence: number, index: number): number {
  if (!Number.isSafeInteger(sequence) || sequence < 0 || sequence > lastSequence)
    throw new RangeError(`no message has the sequence ${sequence}`);
  if (!Number.isSafeInteger(index) || index < 0 || index >= placesOfMessage)
    throw new RangeError(`no line has the index ${index}`);
  return sequence * placesOfMessage + index;
}

/** The position after everything up to and with this message; of sequence 0: before everything. */
export function endOf(sequence: number): number {
  return placeOf(sequence, placesOfMessage - 1);
}

/** The message that holds a place. */
export function sequenceOf(place: number): number {
  return Math.floor(place / placesOfMessage);
}
