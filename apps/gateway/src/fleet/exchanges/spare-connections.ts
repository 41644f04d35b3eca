import type { HandedConnection } from '../../access/handed-connection.js';

/** Connections of one node that wait. */
const mostSpare = 64;

/** Those of one node. */
interface Spare {
  readonly connections: HandedConnection[];
  /** The fewest that waited since the last {@link SpareConnections.trim}: so many were not needed. */
  fewest: number;
}

/**
 * Connections whose request was answered, each kept for the next one of the same node: a connection that is made anew for
 * each costs the HTTP server more than the request. Never for one of another node: what a node sends wrongly is its own loss.
 */
export class SpareConnections {
  readonly #byNode = new Map<string, Spare>();

  take(node: string): HandedConnection | undefined {
    const spare = this.#byNode.get(node);
    if (spare === undefined) return undefined;
    let connection = spare.connections.pop();
    while (connection?.destroyed === true) connection = spare.connections.pop();
    spare.fewest = Math.min(spare.fewest, spare.connections.length);
    return connection;
  }

  /** Keeps one that has nothing to do any more, or ends it. */
  keep(node: string, connection: HandedConnection): void {
    let spare = this.#byNode.get(node);
    if (spare === undefined) this.#byNode.set(node, (spare = { connections: [], fewest: 0 }));
    if (spare.connections.length < mostSpare) spare.connections.push(connection);
    else connection.destroy();
  }

  /** Ends those that were not needed since the last time. */
  trim(): void {
    for (const [node, spare] of this.#byNode) {
      for (const connection of spare.connections.splice(0, spare.fewest)) connection.destroy();
      spare.fewest = spare.connections.length;
      if (spare.fewest === 0) this.#byNode.delete(node);
    }
  }
}
