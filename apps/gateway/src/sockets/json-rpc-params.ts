import { nearestNames, type JsonMember, type JsonNode } from '@qmp-gateway/qapi';
import type { Fault } from '../problems/problem.js';
import { parseDuration } from '../settings/duration.js';
import { errorCodes, JsonRpcError, type JsonRpcRequest } from './json-rpc-message.js';

/** Reads the named params of one request and collects their faults. */
export class JsonRpcParams {
  readonly faults: Fault[] = [];
  readonly #members: readonly JsonMember[] = [];

  constructor(
    private readonly request: JsonRpcRequest,
    known: readonly string[],
  ) {
    const { params } = request;
    if (params === undefined) return;
    if (params.kind !== 'object') {
      this.faults.push({ pointer: '', message: 'params must be an object: parameters have names' });
      return;
    }
    this.#members = params.members;
    for (const { name } of params.members) {
      if (!known.includes(name)) {
        const suggestions = nearestNames(name, known);
        const message = `unknown; ${request.method} takes ${known.length === 0 ? 'no params' : known.join(', ')}`;
        this.faults.push({ pointer: `/${name}`, message, ...(suggestions.length > 0 ? { suggestions } : {}) });
      }
    }
  }

  string(name: string): string | undefined {
    return this.#read(
      name,
      () => 'a string',
      (node) => (node.kind === 'string' ? node.value : undefined),
    );
  }

  required(name: string): string {
    if (this.#member(name) === undefined) this.faults.push({ pointer: `/${name}`, message: 'missing' });
    return this.string(name) ?? '';
  }

  /** A string of 1 to this many characters. */
  shortString(name: string, longest: number): string | undefined {
    return this.#read(
      name,
      () => `a string of 1 to ${longest} characters`,
      (node) => {
        const value = node.kind === 'string' ? node.value : '';
        return value.length > 0 && value.length <= longest ? value : undefined;
      },
    );
  }

  boolean(name: string): boolean | undefined {
    return this.#read(
      name,
      () => 'true or false',
      (node) => (node.kind === 'boolean' ? node.value : undefined),
    );
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    return this.#read(
      name,
      () => values.join(' or '),
      (node) => (node.kind === 'string' ? values.find((value) => value === node.value) : undefined),
    );
  }

  integer(name: string): number | undefined {
    return this.#read(
      name,
      () => 'an integer',
      (node) => {
        const value = node.kind === 'number' && node.integer ? Number(this.#text(node)) : NaN;
        return Number.isSafeInteger(value) ? value : undefined;
      },
    );
  }

  /** A string or a list of strings; empty if absent. */
  strings(name: string): string[] {
    const read = this.#read(
      name,
      () => 'a string or a list of strings',
      (node) => {
        const items = node.kind === 'array' ? node.items : [node];
        const strings = items.flatMap((item) => (item.kind === 'string' ? [item.value] : []));
        return strings.length === items.length ? strings : undefined;
      },
    );
    return read ?? [];
  }

  /** Milliseconds of a number of seconds, or of a duration. */
  duration(name: string, longestMs = Infinity): number | undefined {
    const bound = () => (longestMs < Infinity ? ` of ${longestMs / 1000}s at most` : '');
    return this.#read(
      name,
      () => `seconds or a duration${bound()}`,
      (node) => {
        let milliseconds: number | undefined;
        if (node.kind === 'string') milliseconds = parseDuration(node.value);
        else if (node.kind === 'number') milliseconds = Number(this.#text(node)) * 1000;
        return milliseconds !== undefined && milliseconds >= 0 && milliseconds <= longestMs ? milliseconds : undefined;
      },
    );
  }

  /** Any value, as the client wrote it. */
  raw(name: string): string | undefined {
    const node = this.#member(name);
    return node === undefined ? undefined : this.#text(node);
  }

  /** @throws {JsonRpcError} if there are faults */
  check(): void {
    if (this.faults.length === 0) return;
    const message = this.faults.map(
      (fault) => `${fault.pointer === '' ? '' : `${fault.pointer.slice(1)}: `}${fault.message}`,
    );
    throw new JsonRpcError(errorCodes.invalidParams, message.join('; '), undefined, { errors: this.faults });
  }

  #text(node: JsonNode): string {
    return this.request.document.text.slice(node.start, node.end);
  }

  /** Undefined for an absent member; also for one that cannot be read, which is a fault. */
  #read<T>(name: string, expected: () => string, read: (node: JsonNode) => T | undefined): T | undefined {
    const node = this.#member(name);
    if (node === undefined) return undefined;
    const value = read(node);
    if (value === undefined) this.faults.push({ pointer: `/${name}`, message: `expected ${expected()}` });
    return value;
  }

  /** Searches a few members: every request passes here, and creating a Map would cost more. */
  #member(name: string): JsonNode | undefined {
    for (const member of this.#members) if (member.name === name) return member.value;
    return undefined;
  }
}
