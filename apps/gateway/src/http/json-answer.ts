import type { ServerResponse } from 'node:http';
import { sendJson } from './answer.js';
import type { ReceivedRequest } from './request-context.js';

interface JsonAnswerOptions {
  /** 200 when absent. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What VMs said may be large: it counts against `limits.replyBytes` while a slow reader has not taken it. */
  readonly ofVms?: boolean;
}

/** What a handler returns whose answer is JSON text that was rendered already. */
export class JsonAnswer {
  constructor(
    private readonly text: string,
    private readonly options: JsonAnswerOptions = {},
  ) {}

  /** An answer from plain values. */
  static of(value: object, options: JsonAnswerOptions = {}): JsonAnswer {
    return new JsonAnswer(JSON.stringify(value), options);
  }

  send(response: ServerResponse): void {
    const { status = 200, headers = {}, ofVms } = this.options;
    if (ofVms === true) (response.req as ReceivedRequest).gateway.replies.count(response, Buffer.byteLength(this.text));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    sendJson(response, status, this.text);
  }
}
