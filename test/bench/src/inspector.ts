import { createServer, type AddressInfo } from 'node:net';
import { WebSocket } from 'ws';

/** A port that nobody listens at now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Arguments of a Node process whose inspector is at a port, and says nothing of it. */
export function inspectedAt(port: number): string[] {
  return [`--inspect=127.0.0.1:${port}`, '--inspect-publish-uid=http'];
}

/** The inspector of a Node process that was started with `--inspect`. */
export class Inspector {
  #last = 0;

  private constructor(private readonly socket: WebSocket) {}

  /** @param port its own */
  static async attach(port: number): Promise<Inspector> {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`);
    const [{ webSocketDebuggerUrl } = { webSocketDebuggerUrl: '' }] = (await response.json()) as {
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(webSocketDebuggerUrl, { maxPayload: 2 ** 29 });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return new Inspector(socket);
  }

  /** Sends a command of the inspector's protocol without arguments. */
  ask(method: string): Promise<unknown> {
    const id = ++this.#last;
    const answered = new Promise((resolve) => {
      const listen = (data: Buffer): void => {
        const message = JSON.parse(data.toString()) as { id?: number; result?: unknown };
        if (message.id !== id) return;
        this.socket.off('message', listen);
        resolve(message.result);
      };
      this.socket.on('message', listen);
    });
    this.socket.send(JSON.stringify({ id, method }));
    return answered;
  }

  close(): void {
    this.socket.terminate();
  }
}
