import { WebSocket } from 'ws';

/** JSON-RPC over one WebSocket with `inFlight` requests at once. @returns answers a second */
export async function jsonRpcLoad(
  port: number,
  token: string,
  options: { vm: string; command: string; inFlight: number; milliseconds: number },
): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/ws`, ['qmp-gateway.v1'], {
    headers: { Authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const params = JSON.stringify({ vm: options.vm, command: options.command });
  let next = 0;
  let answers = 0;
  const send = () => socket.send(`{"jsonrpc":"2.0","id":${next++},"method":"execute","params":${params}}`);
  const started = performance.now();
  const until = started + options.milliseconds;
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      if (data.includes('"error"')) reject(new Error(data.toString().slice(0, 500)));
      answers++;
      if (performance.now() < until) send();
      else resolve();
    });
    for (let i = 0; i < options.inFlight; i++) send();
  });
  const elapsed = performance.now() - started;
  socket.terminate();
  return (answers / elapsed) * 1000;
}
