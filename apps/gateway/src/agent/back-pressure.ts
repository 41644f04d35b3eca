import type { ServerResponse } from 'node:http';

/** Writes a part of an answer; resolves when its reader has room for the next one, or is gone. */
export function written(response: ServerResponse, part: Buffer | string): Promise<void> {
  if (response.destroyed || response.write(part)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
