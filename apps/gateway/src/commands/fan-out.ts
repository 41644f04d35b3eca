import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemClock, type Clock } from '@qmp-gateway/qmp';
import { apiHeaders } from '../http/answer.js';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { misplacedControls } from '../http/resource/control-headers.js';
import { invalid } from '../http/resource/read-shape.js';
import { parametersOf } from '../http/query-parameters.js';
import { Problem, problemBody } from '../problems/problem.js';
import type { VmIdentity } from '../access/principal.js';
import { parseVmSelector, selectsVm } from '../access/vm-selector.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import { readArguments } from './command-arguments.js';
import type { CheckedCommandPath, RefusedCommand } from './command-path.js';
import type { CommandAnswer, CommandArguments, CommandAsker, CommandPath, CommandRequest } from './command-request.js';
import { fanOutControls } from './command-routes.js';
import { readControls } from './controls.js';
import type { ReplyBudget } from '../http/reply-budget.js';

/** VMs asked at once by one fan-out; each answers or reaches its deadline on its own. */
const concurrency = 256;

/** Up to here a line is one chunk of the answer; longer values are not copied. */
const onePieceBytes = 16 * 1024;

/** A request for many VMs. It is answered in lines, and by the exchange itself if it is refused as a whole. */
export interface FanOutExchange extends CommandAsker {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: AuthenticatedContext;
}

/** One command for many VMs: a line for each as it answers, so that a silent VM costs one late line and nothing else. */
export class FanOut {
  constructor(
    private readonly registry: Pick<VmRegistry, 'all'>,
    private readonly path: CommandPath & Pick<CheckedCommandPath, 'refusalOf' | 'refuse'>,
    private readonly clock: Clock = systemClock,
    /** VMs of other nodes. */
    private readonly others: () => Iterable<VmIdentity> = () => [],
  ) {}

  /**
   * Answers the request with a line for each VM, or as a whole if its caller may run the command on none of them.
   * @throws Problem before anything was sent: no selector, nothing selected, arguments no JSON
   */
  run(exchange: FanOutExchange, command: string, args: CommandArguments): void {
    const { request, response, context } = exchange;
    const { principal, requestId, traceparent } = context;
    const misplaced = misplacedControls([fanOutControls], request.headers);
    if (misplaced.length > 0) throw invalid('header', misplaced);
    const controls = readControls(request, context.query, ['vm', 'label']);
    const selected = this.#select(context);
    const document = readArguments(args);
    const base: Omit<CommandRequest, 'vm'> = {
      principal,
      requestId,
      traceparent,
      entrance: 'fan-out',
      command,
      // Read once for all VMs.
      arguments: args.kind === 'json' && document !== undefined ? { ...args, document } : args,
      arrivedAt: this.clock.now(),
      ...controls,
    };
    const refused = this.#refusedOnAll(selected, base);
    if (refused !== undefined) {
      this.path.refuse({ ...base, vm: '*' }, exchange, refused.problem, refused);
      return;
    }
    response.writeHead(200, {
      ...context.answerHeaders,
      ...apiHeaders,
      'X-Request-Id': requestId,
      'Content-Type': 'application/x-ndjson',
    });
    response.flushHeaders();
    new FanOutRun(exchange, this.path, selected, base).start();
  }

  #select(context: AuthenticatedContext): readonly VmIdentity[] {
    const query = parametersOf(context.query);
    const vms = query.getAll('vm');
    const labels = query.getAll('label');
    if (vms.length === 0 && labels.length === 0)
      throw new Problem('invalid-request', 'Select VMs with vm= or label=; ?vm=* is all of them.');
    const { selector, faults } = parseVmSelector(vms, labels);
    if (faults.length > 0) throw new Problem('invalid-request', 'The selectors cannot be read.', { errors: faults });
    const isSelected = (vm: VmIdentity) => context.principal.sees(vm) && selectsVm(selector, vm);
    const own: readonly VmIdentity[] = [...this.registry.all()].filter(isSelected);
    const ids = new Set(own.map(({ id }) => id));
    // A VM that several nodes claim has one line, which says so.
    const others = [...this.others()].filter((vm) => isSelected(vm) && !ids.has(vm.id) && ids.add(vm.id));
    const selected = [...own, ...others];
    if (selected.length === 0) throw new Problem('vm-not-found', 'The selectors match no VM.');
    return selected;
  }

  /** The last refusal, if policy refuses it on every VM. */
  #refusedOnAll(selected: readonly VmIdentity[], base: Omit<CommandRequest, 'vm'>): RefusedCommand | undefined {
    let refused: RefusedCommand | undefined;
    try {
      for (const vm of selected) {
        refused = this.path.refusalOf({ ...base, vm: vm.id });
        if (refused === undefined) return undefined;
      }
    } catch (error) {
      // Something other than policy refuses it on that VM, which its own line says.
      if (error instanceof Problem) return undefined;
      throw error;
    }
    return refused;
  }
}

/** The line of one VM. */
class FanOutLine implements CommandAsker {
  constructor(
    private readonly run: FanOutRun,
    private readonly vm: VmIdentity,
  ) {}

  answered(answer: CommandAnswer): void {
    this.run.answered(this.vm, answer);
  }
}

/** The lines of one fan-out. A slow reader delays VMs that were not asked yet, and costs no memory. */
class FanOutRun {
  #next = 0;
  #open = 0;
  #ok = 0;
  #failed = 0;
  readonly #response: ServerResponse;
  readonly #replies: ReplyBudget;

  constructor(
    { response, context }: FanOutExchange,
    private readonly path: CommandPath,
    private readonly selected: readonly VmIdentity[],
    private readonly base: Omit<CommandRequest, 'vm'>,
  ) {
    this.#response = response;
    this.#replies = context.replies;
  }

  start(): void {
    this.#response.on('drain', () => this.#more());
    this.#more();
  }

  #more(): void {
    while (
      this.#open < concurrency &&
      this.#next < this.selected.length &&
      !this.#response.destroyed &&
      !this.#response.writableNeedDrain
    ) {
      const vm = this.selected[this.#next++];
      if (vm === undefined) return;
      this.#open++;
      this.path.execute({ ...this.base, vm: vm.id }, new FanOutLine(this, vm));
    }
  }

  answered(vm: VmIdentity, answer: CommandAnswer): void {
    this.#open--;
    if (answer.ok) this.#ok++;
    else this.#failed++;
    if (this.#response.destroyed) return;
    // Not corked: Node gathers what a turn writes, and from 22 on its `end` would write past what is corked.
    this.#write(vm, answer);
    if (this.#ok + this.#failed === this.selected.length)
      this.#response.end(
        `${JSON.stringify({ end: true, selected: this.selected.length, ok: this.#ok, failed: this.#failed })}\n`,
      );
    // Not from inside an answer: a run of VMs that refuse at once would nest one call in the other.
    if (this.#next < this.selected.length) setImmediate(() => this.#more());
  }

  #write(vm: VmIdentity, answer: CommandAnswer): void {
    if (!answer.ok) {
      this.#response.write(
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
      if (typeof json === 'string') this.#response.write(`${head}${json}}\n`);
      else this.#response.write(`${head}${json.toString('latin1')}}\n`, 'latin1');
      return;
    }
    this.#replies.count(this.#response, length);
    this.#response.write(head);
    this.#response.write(json, () => this.#replies.taken(this.#response, length));
    this.#response.write('}\n');
  }
}
