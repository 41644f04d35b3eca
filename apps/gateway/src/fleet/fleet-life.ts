import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { FleetEvents } from './events/fleet-events.js';
import type { FleetLink } from './fleet-link.js';

/** An entry waits so long for the fleet before it listens without it. */
const firstLookMs = 2000;

/** The start and the end of what a node does in its fleet. The VMs have ended when the end begins. */
export class FleetLife implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly link: FleetLink | null,
    private readonly events: FleetEvents | null,
  ) {}

  /**
   * Runs before the gateway listens, so that what an entry shows first is of the fleet; NATS that is away holds up no start.
   * @throws SettingsError for credentials or certificates that cannot be read
   */
  async onApplicationBootstrap(): Promise<void> {
    this.events?.start();
    await this.link?.start();
    await this.events?.joined(firstLookMs);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.events?.finish();
    await this.link?.close();
  }
}
