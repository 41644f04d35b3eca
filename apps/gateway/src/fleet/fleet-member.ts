import type { Clock } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import type { TokenStore } from '../access/tokens/token-store.js';
import type { VmDirectory } from '../vms/vm-directory.js';
import type { VmNews } from '../vms/vm-news.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import { withHeard } from './directory/directory-vm.js';
import type { FleetEventSide } from './directory/feed.js';
import { FleetDirectory } from './directory/fleet-directory.js';
import { NodeRecords } from './directory/node-records.js';
import { OwnRecord } from './directory/own-record.js';
import { endOfStream } from './directory/stream-archive.js';
import { isSuperseded } from './fleet-view.js';
import { FleetBucket } from './fleet-bucket.js';
import { FleetFaults, type FleetState } from './fleet-faults.js';
import type { FleetLink } from './fleet-link.js';
import { EndpointLeases } from './leases/endpoint-leases.js';
import { FleetTokens } from './tokens/fleet-tokens.js';

/** A server says so often, for each message, that a permission is missing: it counts until nothing was refused for so long. */
const refusalMs = 60_000;

/** What a member is made of. */
export interface MemberParts {
  readonly link: FleetLink;
  readonly events: FleetEventSide;
  /** Of the state directory. */
  readonly identity: string;
  readonly version: string;
  readonly registry: VmRegistry;
  readonly vms: VmDirectory;
  readonly news: VmNews;
  readonly tokens: TokenStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** This node as one of its fleet: its record, its tokens, and, where it serves for all, the directory. */
export class FleetMember {
  readonly faults = new FleetFaults();
  readonly record: OwnRecord;
  /** Undefined with `fleet.serve: false`. */
  readonly directory: FleetDirectory | undefined;
  readonly #tokens: FleetTokens;
  readonly #leases: EndpointLeases;
  #refusedUntil = -Infinity;

  constructor(private readonly parts: MemberParts) {
    const { link, events, vms, registry, identity, version, clock, log, tokens } = parts;
    vms.nameNode(link.node);
    const records = new NodeRecords(new FleetBucket(link, link.subjects.nodeBucket));
    this.record = new OwnRecord({
      ...{ link, records, identity, version, clock, log, events: events.own },
      vms: () =>
        Array.from(vms.views(), ({ vm: { id, labels, epoch }, full, reduced }) => ({
          id,
          labels,
          epoch,
          full,
          reduced,
        })),
      vmCount: () => registry.size,
      streamEnd: () => endOfStream(link),
      written: () => events.beatNow(),
    });
    this.#tokens = new FleetTokens({
      ...{ link, tokens, clock, log },
      bucket: new FleetBucket(link, link.subjects.tokenBucket),
    });
    this.#leases = new EndpointLeases({
      ...{ node: link.node, run: link.run, identity, clock, log },
      bucket: new FleetBucket(link, link.subjects.leaseBucket),
      leaseMs: link.settings.unreachableAfter,
      shared: () => registry.shared(),
      changed: (endpoint) => {
        registry
          .leaseChanged(endpoint)
          .catch((error: unknown) => log.error({ endpoint, err: error }, 'a lease changed'));
      },
    });
    registry.leaseBy(this.#leases);
    // What happens while the gateway stops is told after the goodbye.
    this.record.onMembership((membership) => events.permit(membership === 'joined' || membership === 'left'));
    events.addToHeartbeats(() => this.record.heartbeatFields());
    if (!link.settings.serve) return;
    const { feed, archive, readChange } = events;
    this.directory = new FleetDirectory({ link, records, feed, archive, readChange, clock, log });
    this.#serve(this.directory);
  }

  get link(): FleetLink {
    return this.parts.link;
  }

  /** How this node stands with its fleet now. */
  get state(): FleetState {
    const { link, clock } = this.parts;
    const faults = [...this.faults.all];
    const { membership, fault } = this.record;
    if (membership === 'name-taken') faults.push(`another node of the fleet is called ${link.node} (node-name-taken)`);
    if (membership === 'foreign-record') faults.push(`the record of ${link.node} is of another release`);
    if (clock.now() < this.#refusedUntil) faults.push('NATS refuses what this node needs; its log says what');
    if (faults.length > 0) return { problem: 'fleet-misconfigured', faults };
    if (!link.connected) {
      const why = link.lastFault === undefined ? '' : `: ${link.lastFault}`;
      return { problem: 'fleet-unavailable', faults: [`there is no connection with NATS${why}`] };
    }
    if (membership !== 'joined') return { problem: 'fleet-unavailable', faults: [fault ?? 'this node is joining'] };
    return { problem: undefined, faults: [] };
  }

  /** Begins to join, once the VMs of this node are known. Local service needs none of it. */
  start(): void {
    const { link, news, clock } = this.parts;
    const changed = (): void => this.record.changed();
    news.register({ added: changed, changed, removed: changed });
    link.onRefusal(() => (this.#refusedUntil = clock.now() + refusalMs));
    this.record.start();
    this.directory?.start();
    this.#tokens.start();
    this.#leases.start();
  }

  /** Says goodbye: others send no more here. The connection stays for what is in flight. */
  leave(): Promise<void> {
    return this.record.leave();
  }

  /** After {@link leave}: ends everything but the connection, which others still use. */
  async close(): Promise<void> {
    this.directory?.stop();
    this.#tokens.stop();
    await Promise.all([this.#tokens.idle(), this.#leases.release()]);
  }

  #serve(directory: FleetDirectory): void {
    const { vms, events, registry, clock } = this.parts;
    vms.join({
      after: function* (place) {
        for (const vm of directory.after(place)) {
          const own = registry.get(vm.id);
          if (own === undefined || !isSuperseded(vm, own)) yield vm;
        }
      },
      own: (view) => withHeard(view, clock.wall()),
    });
    // A batch of this node's own is one behind which it can be told.
    directory.tellings.onNews(() => events.beatNow());
    // What is here under the id is no VM that is gone.
    events.tellFrom((most) =>
      directory.tellings
        .take(most, clock.wall())
        .filter(({ name, source }) => name !== 'vm-removed' || registry.get(source.id) === undefined),
    );
  }
}
