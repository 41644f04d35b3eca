import type { IncomingMessage, ServerResponse } from 'node:http';
import { readJson } from '@qmp-gateway/qapi';
import { apiHeaders } from '../listeners/answer.js';
import type { AuthenticatedContext } from '../listeners/request-context.js';
import { parametersOf } from '../listeners/query-parameters.js';
import { Problem, problemBody } from '../problems/problem.js';
import { parseVmSelector, selectsVm } from '../vms/vm-selector.js';
import type { Vm } from '../vms/vm.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import { malformedJson, type CheckedCommandPath, type RefusedCommand } from './command-path.js';
import type { CommandAnswer, CommandArguments, CommandRequest } from './command-request.js';
import { readControls } from './controls.js';
import type { ReplyBudget } from './reply-budget.js';

/** VMs asked at once by one fan-out; each answers or reaches its deadline on its own. */
const concurrency = 256;

/** Up to here a line is one chunk of the answer; longer values are not copied. */
const onePieceBytes = 16 * 1024;

/** One command for many VMs: a line for each as it answers, so that a silent VM costs one late line and nothing else. */
export class FanOut {
  constructor(
    private readonly registry: VmRegistry,
    private readonly path: CheckedCommandPath,
  ) {}

  /**
   * @param refuse answers the whole, for a caller who may run it on none of the selected
   * @throws Problem before anything was sent: no selector, nothing selected, arguments no JSON
   */
  run(
    request: IncomingMessage,
    response: ServerResponse,
    context: AuthenticatedContext,
    command: string,
    args: CommandArguments,
    refuse: (answer: CommandAnswer) => void,
  ): void {
    const { principal, requestId, traceparent } = context;
    const controls = readControls(request.headers, context.query, ['vm', 'label']);
    const selected = this.#select(context);
    if (args.kind === 'json') requireJson(args.json);
    const base: Omit<CommandRequest, 'vm'> = {
      principal,
      requestId,
      traceparent,
      entrance: 'fan-out',
      command,
      arguments: args,
      arrivedAt: performance.now(),
      ...controls,
    };
    const refused = this.#refusedOnAll(selected, base);
    if (refused !== undefined) {
      const { problem, target, decision, args: read } = refused;
      this.path.refuse({ ...base, vm: '*' }, problem, target, refuse, decision, read);
      return;
    }
    response.writeHead(200, {
      ...context.answerHeaders,
      ...apiHeaders,
      'X-Request-Id': requestId,
      'Content-Type': 'application/x-ndjson',
    });
    response.flushHeaders();
    const execute: Execute = (vm, answer) => this.path.execute({ ...base, vm: vm.id }, answer);
    new FanOutRun(response, context.replies, selected, execute).start();
  }

  #select(context: AuthenticatedContext): Vm[] {
    const query = parametersOf(context.query);
    const vms = query.getAll('vm');
    const labels = query.getAll('label');
    if (vms.length === 0 && labels.length === 0)
      throw new Problem('invalid-request', 'Select VMs with vm= or label=; ?vm=* is all of them.');
    const { selector, faults } = parseVmSelector(vms, labels);
    if (faults.length > 0) throw new Problem('invalid-request', 'The selectors cannot be read.', { errors: faults });
    const selected = [...this.registry.all()].filter((vm) => context.principal.sees(vm) && selectsVm(selector, vm));
    if (selected.length === 0) throw new Problem('vm-not-found', 'The selectors match no VM.');
    return selected;
  }

  /** The last refusal when policy refuses it on every VM. */
  #refusedOnAll(selected: readonly Vm[], base: Omit<CommandRequest, 'vm'>): RefusedCommand | undefined {
    let refused: RefusedCommand | undefined;
    try {
      for (const vm of selected) {
        refused = this.path.refusalOf({ ...base, vm: vm.id });
        if (refused === undefined) return undefined;
      }
    } catch (error) {
      // Something else than policy stands in its way on that VM: its own line tells it.
      if (error instanceof Problem) return undefined;
      throw error;
    }
    return refused;
  }
}

function requireJson(json: Uint8Array | string): void {
  try {
    readJson(json);
  } catch (error) {
    throw malformedJson(error);
  }
}

type Execute = (vm: Vm, answer: (answer: CommandAnswer) => void) => void;

/** The lines of one fan-out. Slow readers hold back VMs that were not asked yet, never memory. */
class FanOutRun {
  #next = 0;
  #open = 0;
  #ok = 0;
  #failed = 0;

  constructor(
    private readonly response: ServerResponse,
    private readonly replies: ReplyBudget,
    private readonly selected: readonly Vm[],
    private readonly execute: Execute,
  ) {}

  start(): void {
    this.response.on('drain', () => this.#more());
    this.#more();
  }

  #more(): void {
    while (
      this.#open < concurrency &&
      this.#next < this.selected.length &&
      !this.response.destroyed &&
      !this.response.writableNeedDrain
    ) {
      const vm = this.selected[this.#next++];
      if (vm === undefined) return;
      this.#open++;
      this.execute(vm, (answer) => this.#answered(vm, answer));
    }
  }

  #answered(vm: Vm, answer: CommandAnswer): void {
    this.#open--;
    if (answer.ok) this.#ok++;
    else this.#failed++;
    if (this.response.destroyed) return;
    // Not corked: Node gathers what a turn writes, and from 22 on its `end` would write past what is corked.
    this.#write(vm, answer);
    if (this.#ok + this.#failed === this.selected.length)
      this.response.end(
        `${JSON.stringify({ end: true, selected: this.selected.length, ok: this.#ok, failed: this.#failed })}\n`,
      );
    // Not from inside an answer: a run of VMs that refuse at once would nest as deep as it is long.
    if (this.#next < this.selected.length) setImmediate(() => this.#more());
  }

  #write(vm: Vm, answer: CommandAnswer): void {
    if (!answer.ok) {
      this.response.write(
        `${JSON.stringify({ vm: vm.id, status: answer.problem.status, problem: problemBody(answer.problem) })}\n`,
      );
      return;
    }
    const { cursor } = answer.trace;
    const about = JSON.stringify({ vm: vm.id, status: 200, ...(cursor === undefined ? {} : { cursor }) });
    const head = `${about.slice(0, -1)},"return":`;
    const { json } = answer;
    const { length } = json;
    if (length <= onePieceBytes) {
      // Latin-1 keeps bytes as they are, whatever they mean; ids and cursors are ASCII.
      if (typeof json === 'string') this.response.write(`${head}${json}}\n`);
      else this.response.write(`${head}${json.toString('latin1')}}\n`, 'latin1');
      return;
    }
    this.replies.count(this.response, length);
    this.response.write(head);
    this.response.write(json, () => this.replies.taken(this.response, length));
    this.response.write('}\n');
  }
}
