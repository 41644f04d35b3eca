import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { DescriptorChannel, type Descriptor } from '@qmp-gateway/unix-fds';
import type { Scene } from '@qmp-gateway/test-kit';

/** Stands before a monitor, passes bytes and descriptors on, and cuts connections. */
export class DescriptorProxy {
  readonly #sockets = new Set<Socket>();
  readonly path: string;

  private constructor(
    private readonly target: string,
    directory: string,
  ) {
    this.path = path.join(directory, 'proxy');
  }

  static async before(target: string, scene: Scene): Promise<DescriptorProxy> {
    const proxy = new DescriptorProxy(target, scene.directory());
    const server = createServer({ pauseOnConnect: true }, (socket) => proxy.#serve(socket));
    scene.keep(server, () => {
      proxy.cut();
      server.close();
    });
    server.listen(proxy.path);
    await once(server, 'listening');
    return proxy;
  }

  /** Ends all connections, on both sides. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(client: Socket): void {
    const server = connect(this.target);
    const channel = DescriptorChannel.beside(client);
    const closeBoth = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket
        .on('error', () => undefined)
        .once('close', () => {
          this.#sockets.delete(socket);
          closeBoth();
        });
    }
    client.once('close', () => channel.close());
    server.on('data', (chunk) => client.write(chunk));
    server.once('connect', () => {
      let last = Promise.resolve();
      channel.receive({
        received: (bytes, descriptors) => {
          last = last.then(() => pass(server, bytes, descriptors));
        },
        ended: closeBoth,
      });
    });
  }
}

async function pass(server: Socket, bytes: Buffer, descriptors: readonly Descriptor[]): Promise<void> {
  const channel = server.destroyed ? undefined : DescriptorChannel.beside(server);
  if (channel !== undefined) await new Promise((resolve) => channel.send(bytes, descriptors, resolve));
  channel?.close();
  for (const descriptor of descriptors) descriptor.close();
}
