import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AuditLog } from '../../access/audit/audit-log.js';
import type { AuthenticatedContext } from '../../access/authenticated-request.js';
import { writeResource } from '../../http/answer.js';
import { parametersOf } from '../../http/query-parameters.js';
import { accessPath, vmOfPath } from '../../http/vm-path.js';
import type { CommandsElsewhere } from '../../commands/commands-elsewhere.js';
import type { CommandAsker, CommandRequest } from '../../commands/command-request.js';
import { asProblem, type Problem } from '../../problems/problem.js';
import { parseDuration } from '../../settings/duration.js';
import type { RemoteVm } from '../fleet-view.js';
import { ForwardedLine } from './forwarded-line.js';
import { ForwardedRequest } from './forwarded-request.js';
import { ForwardedUpgrade } from './forwarded-upgrade.js';
import type { CallParts } from './owner-call.js';
import { askAccess, askRemotely, requireSendable } from './remote-command.js';

const vmItselfPath = /^\/v1\/vms\/[^/]+$/;
const singlePath = /^\/v1\/vms\/[^/]+\/(?:qmp|agent)(?:\/(?!exec$|files$)[^/]+)?$/;
const commandPath = /^\/v1\/vms\/[^/]+\/(?:qmp|agent)(?:\/|$)/;

/** A request for a VM, and what its query says to this node. */
interface Addressed {
  readonly vm: RemoteVm | undefined;
  /** The query without `node`. */
  readonly query: string;
}

/** The side of an entry: hands what is for a VM of another node over to it, and the answer back. */
export class Forwarder implements CommandsElsewhere {
  readonly #prefix = randomBytes(5).toString('hex');
  readonly #callParts: CallParts;
  #count = 0;

  constructor(
    private readonly parts: Omit<CallParts, 'nextId'> & {
      /** Of an answer that is gathered. */
      readonly mostBytes: number;
    },
    private readonly audit: AuditLog,
  ) {
    this.#callParts = { ...parts, nextId: () => this.#nextId() };
  }

  /**
   * Takes a request whose sender is known if its VM is at another node; strips `node` from the query of one that is not.
   * @returns false when it is for this node
   * @throws Problem `vm-ambiguous`, `vm-not-found`
   */
  take(request: IncomingMessage, response: ServerResponse, context: AuthenticatedContext): boolean {
    const { vm, query } = this.#addressed(context);
    if (vm === undefined) {
      if (query !== context.query) Object.assign(context, { query });
      return false;
    }
    if (this.#tellsItself(request, context, vm, query)) {
      const bytes = vm.render(!context.principal.reaches('configure'));
      writeResource(response, context, {}, { type: 'application/json', bytes });
      return true;
    }
    const timeoutMs = timeoutOf(request, context, query);
    const client = { request, response, context, vm, query, timeoutMs, isCommand: singlePath.test(context.path) };
    new ForwardedRequest(this.#callParts, client, (status, operation) => {
      if (request.method !== 'GET' && request.method !== 'HEAD')
        this.audit.add(new ForwardedLine(request.method ?? '', context, vm, { status, operation }));
    }).start();
    return true;
  }

  /** As `take`, of a request to speak another protocol. @param refuse answers it with a problem */
  takeUpgrade(
    upgrade: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
    context: AuthenticatedContext,
    refuse: (problem: Problem) => void,
  ): boolean {
    const { vm, query } = this.#addressed(context);
    if (vm === undefined) {
      if (query !== context.query) Object.assign(context, { query });
      return false;
    }
    new ForwardedUpgrade(this.#callParts, { ...upgrade, context, vm, query }, refuse);
    this.audit.add(new ForwardedLine('GET', context, vm, { status: 101, operation: '' }));
    return true;
  }

  /** VMs of other nodes. */
  all(): IterableIterator<RemoteVm> {
    return this.parts.places.others();
  }

  /** Runs a command of a fan-out or a JSON-RPC connection. @returns false when its VM is not at another node */
  execute(request: CommandRequest, asker: CommandAsker): boolean {
    const { places, mostBytes } = this.parts;
    if (request.handed !== undefined || places.isOwn(request.vm)) return false;
    try {
      const vm = places.find(request.principal, request.vm, undefined);
      if (vm === undefined) return false;
      requireSendable(request);
      askRemotely(this.#callParts, request, vm, { asker, mostBytes });
    } catch (error) {
      asker.answered({ ok: false, problem: asProblem(error), trace: {} });
    }
    return true;
  }

  askAccess(
    context: AuthenticatedContext,
    id: string,
    json: string,
  ): Promise<{ readonly node: string; readonly json: string }> | undefined {
    const { places, mostBytes } = this.parts;
    if (context.handed !== undefined || places.isOwn(id)) return undefined;
    const vm = places.find(context.principal, id, undefined);
    if (vm === undefined) return undefined;
    return askAccess(this.#callParts, context, vm, { json, mostBytes }).then((told) => ({ node: vm.node, json: told }));
  }

  #nextId(): { readonly exchange: string; readonly operation: string } {
    const number = (this.#count++).toString(36);
    return { exchange: this.#prefix + number, operation: `${this.#prefix}-${number}` };
  }

  /** How a VM is can be told from the directory, where its node cannot be asked. */
  #tellsItself({ method }: IncomingMessage, { path }: AuthenticatedContext, vm: RemoteVm, query: string): boolean {
    if ((method !== 'GET' && method !== 'HEAD') || query !== '' || this.parts.places.isInReach(vm)) return false;
    return vmItselfPath.test(path);
  }

  #addressed({ path, query, principal }: AuthenticatedContext): Addressed {
    const id = path === accessPath ? parametersOf(query).get('vm') : vmOfPath(path);
    if (id === undefined || id === null) return { vm: undefined, query };
    const [node, rest] = /(?:^|&)node=/.test(query) ? withoutNode(query) : [undefined, query];
    return { vm: this.parts.places.find(principal, id, node), query: rest };
  }
}

/** The node that a query names, and the rest of it as it was sent. */
function withoutNode(query: string): [string | undefined, string] {
  const node = parametersOf(query).get('node') ?? undefined;
  const rest = query.split('&').filter((part) => !part.startsWith('node='));
  return [node, rest.join('&')];
}

/** What a client gives a command; undefined where it does not say, or says what its owner will refuse. */
function timeoutOf(request: IncomingMessage, { path }: AuthenticatedContext, query: string): number | undefined {
  const header = request.headers['request-timeout'];
  const inQuery = request.method === 'POST' && query.includes('timeout=');
  if ((header === undefined && !inQuery) || !commandPath.test(path)) return undefined;
  const given = typeof header === 'string' ? header : inQuery ? new URLSearchParams(query).get('timeout') : null;
  const ms = given === null ? undefined : parseDuration(given);
  return ms === undefined || ms <= 0 ? undefined : ms;
}
