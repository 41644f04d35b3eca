import type { OnApplicationShutdown } from '@nestjs/common';
import { listenOnSocketFile } from '@qmp-gateway/qmp';
import { closeSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { SettingsError } from '../settings/load-settings.js';
import { systemFault } from '../settings/system-fault.js';
import type { StateDirectory } from './state-directory.js';

const socketName = 'gateway.sock';
/** The kernel's bound of the address of a socket, without its end. */
const longestPath = 107;

/** Why a claim could not be made where that is no reason not to start. */
export type ClaimObserver = (fault: string) => void;

/**
 * A state directory is of one running gateway: two would not see each other's operations and idempotency keys, and one would
 * write over what the other registered. The claim is a socket in the directory, which ends with the process however that ends;
 * nothing is said on it. What runs beside a gateway for a moment (`qmp-gateway token`) makes none.
 */
export class StateClaim implements OnApplicationShutdown {
  private constructor(
    readonly state: StateDirectory,
    private readonly server?: Server,
    private readonly directory?: number,
  ) {}

  /**
   * @param unclaimed is told where the file system has no sockets; the gateway runs then without a claim
   * @throws SettingsError when another gateway has it
   */
  static async make(state: StateDirectory, unclaimed: ClaimObserver): Promise<StateClaim> {
    const place = state.file(socketName);
    const server = createServer((whoAsks) => whoAsks.destroy()).unref();
    // A path that is too long has a short name below the open directory.
    const directory = Buffer.byteLength(place) > longestPath ? openSync(state.path, 'r') : undefined;
    const address = directory === undefined ? place : `/proc/self/fd/${directory}/${socketName}`;
    try {
      await listenOnSocketFile(server, address, { shown: place });
      return new StateClaim(state, server, directory);
    } catch (error) {
      if (directory !== undefined) closeSync(directory);
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw inUse(state.path);
      unclaimed(systemFault(error));
      return new StateClaim(state);
    }
  }

  /** Its module is global: its turn comes when all that writes here has ended. */
  async onApplicationShutdown(): Promise<void> {
    const { server, directory } = this;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    if (directory !== undefined) closeSync(directory);
  }
}

function inUse(path: string): SettingsError {
  const told = `${path} is the state directory of another gateway that runs: end that one first, or name another directory`;
  return new SettingsError([`state: ${told}`], true);
}
