import { systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { Descriptor } from '@qmp-gateway/unix-fds';

/** A client may have so many waiting for its next command. */
export const mostOfClient = 32;
/**
 * They wait so long: clients send the command with them, or at once. One that waits may be the client's own end of its
 * connection, which has no end as long as that is open here.
 */
export const waitMs = 30_000;

/** Descriptors in the stream of a client: they came with a byte of the piece that follows. */
export class ArrivedDescriptors {
  constructor(readonly descriptors: readonly Descriptor[]) {}
}

/** The end of a piece that descriptors came with. */
export class EndOfPiece {
  /** @param whole the piece was one whole message, so that nothing else can be what its descriptors came with */
  constructor(readonly whole: boolean) {}
}

/**
 * The descriptors that a client of a shared monitor has sent and no command has taken. As with QEMU, they come with the bytes
 * of a command or with an earlier byte, and later ones replace those that wait. Unlike QEMU, they wait for the next command
 * only: what that does not take is closed, and counted.
 */
export class ClientDescriptors {
  #waiting: readonly Descriptor[] = [];
  /** The piece they came with is over: the next command is the last that may take them. */
  #isLast = false;
  #deadline: Timer | undefined;

  /** @param unused is told how many were closed that no command took */
  constructor(
    private readonly unused: (count: number) => void,
    private readonly clock: Clock = systemClock,
  ) {}

  arrived(descriptors: readonly Descriptor[]): void {
    this.drop();
    this.#waiting = descriptors;
    if (descriptors.length > mostOfClient) this.drop();
    else this.#deadline = this.clock.schedule(waitMs, () => this.drop());
  }

  pieceEnded({ whole }: EndOfPiece): void {
    if (whole) this.drop();
    else this.#isLast = true;
  }

  /** A command that takes descriptors: those that wait are its own now; none, where none came. */
  take(): readonly Descriptor[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#isLast = false;
    this.#deadline?.cancel();
    this.#deadline = undefined;
    return taken;
  }

  /** A message that takes none. */
  passedOver(): void {
    if (this.#isLast) this.drop();
  }

  /** Closes what waits. */
  drop(): void {
    const dropped = this.take();
    for (const descriptor of dropped) descriptor.close();
    if (dropped.length > 0) this.unused(dropped.length);
  }
}
