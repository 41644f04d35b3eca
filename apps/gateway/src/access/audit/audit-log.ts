import type { OnApplicationShutdown } from '@nestjs/common';
import { systemClock, type Clock } from '@qmp-gateway/qmp';
import { closeSync, fsync, openSync, write } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { logged, type RequestMark } from '../../http/request-context.js';
import { Problem } from '../../problems/problem.js';
import { SettingsError } from '../../settings/load-settings.js';
import { systemFault } from '../../settings/system-fault.js';
import { escapeControls } from '../../settings/log-line.js';
import type { Principal } from '../principal.js';
import { endsWithinLine } from './audit-tail.js';

/** Milliseconds of lines to gather for one write: the most that a crash of the process can lose. */
const gatherMs = 20;
/** Number of lines that may wait for the disk; beyond it the log counts as not writable. */
const maxWaitingBytes = 16 * 2 ** 20;
/** Number of lines that may wait for the end of a turn; beyond it they are formatted at once. */
const mostDelayed = 64;
const pageBytes = 64 * 1024;
/** UTF-8 of one unit of a string. */
const mostBytesOfUnit = 3;
/** UTF-8 of one character. With so much more room than ASCII needs, a text that is none ends up longer than one that is. */
const mostBytesOfCharacter = 4;
const nothing = Buffer.alloc(0);
const lineEnd = Buffer.from('\n');

/** One line of the log, formatted only when it is written. */
export interface AuditLine {
  /**
   * @param time of the record, RFC 3339
   * @returns one JSON object, without line end
   */
  text(time: string): string;
}

/** Hears, once each time, that the log can no longer be written, or can again. */
export interface AuditObserver {
  auditUnwritable(error: string, path: string): void;
  auditWritable(): void;
}

/**
 * The audit log: one JSON line for each command and each change of the gateway's own state, appended in batches.
 * Secrets never reach it. If it cannot be written, `required` decides whether commands are refused or only a warning is
 * logged.
 */
export class AuditLog implements OnApplicationShutdown {
  readonly path: string;
  #file: number;
  #later: AuditLine[] = [];
  /** Full pages and the current one. */
  #pages: Buffer[] = [];
  #page = nothing;
  #used = 0;
  #waitingBytes = 0;
  #writing = false;
  /** The file ends within a line, as a crash or a full disk leaves it: the next one must not become a part of it. */
  #isTorn: boolean;
  #stampedAt = 0;
  #stamp = '';
  #error: string | undefined;
  #whenIdle: (() => void)[] = [];

  /** @throws SettingsError if the file cannot be opened */
  constructor(
    directory: string,
    private readonly settings: { readonly file: string; readonly required: boolean },
    private readonly observer: AuditObserver,
    private readonly clock: Clock = systemClock,
  ) {
    this.path = isAbsolute(settings.file) ? settings.file : join(directory, settings.file);
    try {
      this.#file = openSync(this.path, 'a', 0o600);
    } catch (error) {
      throw new SettingsError([`audit.file: cannot open ${this.path}: ${systemFault(error)}`], true);
    }
    this.#isTorn = endsWithinLine(this.path);
  }

  /** The answer to commands while a required log cannot be written. */
  get refusal(): Problem | undefined {
    if (!this.settings.required || this.#error === undefined) return undefined;
    return new Problem('audit-unavailable', 'The audit log cannot be written, and the settings demand it.');
  }

  /** Before a change of the gateway's own state. @throws Problem `audit-unavailable` */
  requireWritable(): void {
    const { refusal } = this;
    if (refusal !== undefined) throw refusal;
  }

  /**
   * Opens the file again, as after rotation: lines appended before go to the old file, later ones to the new one.
   * @throws if it cannot be opened; the old one stays in use then
   */
  async reopen(): Promise<void> {
    const file = openSync(this.path, 'a', 0o600);
    await this.flush();
    closeSync(this.#file);
    this.#file = file;
    this.#isTorn = endsWithinLine(this.path);
  }

  /** Appends a line that is formatted after the work of this turn, above all the answers, has left. */
  addLater(line: AuditLine): void {
    if (this.#later.length === 0) setImmediate(this.#addDelayed);
    if (this.#later.push(line) >= mostDelayed) this.#addDelayed();
  }

  /** Appends a line now, after the deferred ones. */
  add(line: AuditLine): void {
    this.#addDelayed();
    this.#append(`${line.text(this.#now())}\n`);
  }

  /** As one text with one time: encoding and stamping each line by itself costs as much as formatting it. */
  readonly #addDelayed = (): void => {
    const lines = this.#later;
    if (lines.length === 0) return;
    this.#later = [];
    const now = this.#now();
    let text = '';
    try {
      for (const line of lines) text += `${line.text(now)}\n`;
    } finally {
      this.#append(text);
    }
  };

  /** A change of the gateway's own state. */
  change(principal: Principal | undefined, mark: RequestMark | undefined, what: string, details: object): void {
    const record = {
      time: this.#now(),
      ...(mark === undefined ? {} : logged(mark)),
      principal: principal?.id ?? 'gateway',
      change: what,
      ...details,
    };
    this.#addDelayed();
    this.#append(`${JSON.stringify(record)}\n`);
  }

  /** Resolves when everything appended so far was passed to the disk or dropped. */
  async flush(): Promise<void> {
    this.#addDelayed();
    if (!this.#writing) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Its module is global: its turn comes when all that may write to it has ended. */
  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    await this.flush();
    await new Promise<void>((resolve) => fsync(this.#file, () => resolve()));
    closeSync(this.#file);
  }

  /** @param lines whole ones, each with its end */
  #append(lines: string): void {
    if (this.#waitingBytes > maxWaitingBytes) {
      this.#failed('the disk does not keep up; lines are lost');
      return;
    }
    // Nearly all are plain ASCII, and the number of their bytes shows it at no cost.
    let bytes = this.#put(lines, lines.length + mostBytesOfCharacter);
    if (bytes !== lines.length || lines.includes('\x7f')) {
      const safe = escapeControls(lines);
      bytes = this.#put(safe, safe.length * mostBytesOfUnit);
    }
    this.#used += bytes;
    this.#waitingBytes += bytes;
    if (this.#writing) return;
    this.#writing = true;
    this.clock.schedule(gatherMs, () => this.#write());
  }

  /** Encodes at once: keeping strings until the write costs twice as much. @returns bytes; as many as fit */
  #put(lines: string, room: number): number {
    if (this.#page.length - this.#used < room) this.#turnPage(room);
    return this.#page.write(lines, this.#used);
  }

  #turnPage(atLeast: number): void {
    if (this.#used > 0) this.#pages.push(this.#page.subarray(0, this.#used));
    this.#page = Buffer.allocUnsafe(Math.max(pageBytes, atLeast));
    this.#used = 0;
  }

  #write(): void {
    this.#turnPage(0);
    if (this.#isTorn) this.#pages.unshift(lineEnd);
    const batch = this.#pages.length === 1 ? this.#pages[0] : Buffer.concat(this.#pages);
    this.#pages = [];
    this.#waitingBytes = 0;
    this.#writeAll(batch ?? nothing);
  }

  /** Wall-clock time, formatted once per millisecond. */
  #now(): string {
    const now = this.clock.wall();
    if (now !== this.#stampedAt) {
      this.#stampedAt = now;
      this.#stamp = new Date(now).toISOString();
    }
    return this.#stamp;
  }

  #writeAll(batch: Buffer): void {
    write(this.#file, batch, (error, written) => {
      if (error === null && written > 0) this.#isTorn = batch[written - 1] !== lineEnd[0];
      if (error === null && written < batch.length) {
        this.#writeAll(batch.subarray(written));
        return;
      }
      if (error !== null) this.#failed(error.message);
      else if (this.#error !== undefined) {
        this.#error = undefined;
        this.observer.auditWritable();
      }
      if (this.#waitingBytes > 0) {
        this.clock.schedule(gatherMs, () => this.#write());
        return;
      }
      this.#writing = false;
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
  }

  #failed(message: string): void {
    if (this.#error === undefined) this.observer.auditUnwritable(message, this.path);
    this.#error = message;
  }
}
