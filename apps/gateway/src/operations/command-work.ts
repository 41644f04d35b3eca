import { withoutSecrets, type Completion } from '@qmp-gateway/catalog';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import type { Operation } from './operation-store.js';
import type { FollowOptions, WorkFollower } from './work-follower.js';
import type { Work } from './work.js';

/** The work of one running command, told of by the steps of the command itself. */
export class CommandWork {
  #work: Work | undefined;

  /**
   * @param args the `arguments` object as JSON text
   * @param isFollowed its caller is told where to ask for the work
   */
  constructor(
    private readonly follower: WorkFollower,
    private readonly vm: Vm,
    private readonly completion: Completion,
    private readonly args: string | undefined,
    private readonly options: FollowOptions,
    private readonly isFollowed: boolean,
  ) {}

  /** The command passed all checks. */
  accepted(operation: Operation): void {
    // Whoever is told where to ask later must find it there, whatever becomes of this process.
    if (this.isFollowed) this.#begin(operation);
  }

  /** Its turn came: the next command that the VM gets is this one. */
  sending(): void {
    const { kind } = this.completion;
    if (kind === 'migration' || kind === 'arrival') this.follower.beforeMigration(this.vm);
  }

  /**
   * The next moment it is the VM's.
   * @param isKeyed a repetition after a crash is to find it, so that it must be on disk by then
   */
  written(operation: Operation, isKeyed: boolean): void {
    if (this.#work === undefined) this.#begin(operation);
    if (this.#work === undefined) return;
    this.follower.written(this.#work, this.vm, this.completion, this.options);
    if (isKeyed) this.follower.writeDown();
  }

  /**
   * The reply, or what became of the command instead.
   * @returns whether what became of it is told by its work from now on
   */
  ended(result: Buffer | Problem, state: 'done' | 'failed' | 'lost'): boolean {
    const work = this.#work;
    if (work === undefined) return false;
    if (state === 'failed') this.follower.refused(work);
    else this.follower.replied(work, result instanceof Problem ? undefined : result);
    return state !== 'failed';
  }

  #begin(operation: Operation): void {
    const { vm, args } = this;
    this.#work = this.follower.begin(operation, vm, this.completion, args, this.options);
    const kind = vm.schema?.origin.kind;
    if (this.#work !== undefined && kind !== undefined && args !== undefined)
      this.#work.shown = (desc) => withoutSecrets(kind, operation.command, args, desc);
  }
}
