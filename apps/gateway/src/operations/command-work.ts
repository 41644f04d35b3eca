import { withoutSecrets } from '@qmp-gateway/catalog';
import type { Vm } from '../vms/vm.js';
import type { Operation, WorkingOperation } from './operation.js';
import type { FollowOptions, WorkFollower } from './work-follower.js';

/** Of which command it is the work, and how it is followed. */
export interface CommandWorkParts extends FollowOptions {
  readonly vm: Vm;
  /** The `arguments` object as JSON text. */
  readonly args: string | undefined;
  /** Its caller is told where to ask for the work. */
  readonly isFollowed: boolean;
}

/** The work of one running command, told of by the steps of the command itself. */
export class CommandWork {
  #operation: WorkingOperation | undefined;

  constructor(
    private readonly follower: WorkFollower,
    private readonly parts: CommandWorkParts,
  ) {}

  /** The command passed all checks. */
  accepted(operation: Operation): void {
    // Whoever is told where to ask later must find it there, whatever becomes of this process.
    if (this.parts.isFollowed) this.#begin(operation);
  }

  /** Its turn came: the next command that the VM gets is this one. */
  sending(): void {
    const { completion, vm } = this.parts;
    if (completion.kind === 'migration' || completion.kind === 'arrival') this.follower.beforeMigration(vm);
  }

  /**
   * The next moment it is the VM's.
   * @param isKeyed a repetition after a crash is to find it, so that it must be on disk by then
   */
  written(operation: Operation, isKeyed: boolean): void {
    if (this.#operation === undefined) this.#begin(operation);
    if (this.#operation === undefined) return;
    this.follower.written(this.#operation, this.parts.vm, this.parts);
    if (isKeyed) this.follower.writeDown();
  }

  /**
   * The command was answered, or will not be.
   * @param value what it returned
   * @returns whether what became of it is told by its work from now on
   */
  ended(state: 'done' | 'failed' | 'lost', value: Buffer | null): boolean {
    const operation = this.#operation;
    if (operation === undefined) return false;
    if (state === 'failed') this.follower.refused(operation);
    else this.follower.replied(operation, value ?? undefined);
    return state !== 'failed';
  }

  #begin(operation: Operation): void {
    const { vm, args } = this.parts;
    this.#operation = this.follower.begin(operation, vm, args, this.parts);
    const kind = vm.schema?.origin.kind;
    const { command } = operation;
    if (this.#operation !== undefined && kind !== undefined && args !== undefined && command !== null)
      this.#operation.work.redactWith((desc) => withoutSecrets(kind, command, args, desc));
  }
}
