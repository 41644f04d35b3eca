import { describe, expect, it } from 'vitest';
import { HandedConnection, type HandedRequest, type HandedSink } from './handed-connection.js';
import { Principal } from './principal.js';

class Sink implements HandedSink {
  readonly written: string[] = [];
  readonly told: string[] = [];
  takes = true;

  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes).toString());
    return this.takes;
  }
  end(bytes?: Uint8Array): void {
    this.told.push(`end ${Buffer.from(bytes ?? []).toString()}`);
  }
  used(): void {
    this.told.push('used');
  }
  broken(): void {
    this.told.push('broken');
  }
  left(): void {
    this.told.push('left');
  }
}

function staged(isUpgrade = false): { connection: HandedConnection; sink: Sink } {
  const handed: HandedRequest = {
    principal: new Principal('p', 'p', { level: 'read', vms: ['*'] }),
    ...{ node: 'B', vm: 'web 1', operation: 'a-1', notAfter: undefined, isUpgrade, bodyBytes: undefined },
  };
  const sink = new Sink();
  const connection = new HandedConnection(handed, sink);
  connection.on('error', () => undefined);
  return { connection, sink };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a connection that is handed over', () => {
  it.each([
    ['/v1/vms/web%201', ''],
    ['/v1/vms/web%201/qmp/stop', 'vm=other'],
    ['/v1/access', 'vm=web%201&command=stop'],
    ['/v1/access', ''],
  ])('carries one request about its VM: %s?%s', (path, query) => {
    const { connection } = staged();
    expect(connection.claim(path, query).node).toBe('B');
    expect(() => connection.claim(path, query)).toThrow(/something else than one request/);
  });

  it.each([
    ['/v1/vms/other/qmp/stop', ''],
    ['/v1/vms', ''],
    ['/v1/tokens', 'vm=web%201'],
    ['/v1/vms/web%201x', ''],
    ['/v1/vms/%ff', ''],
    ['/v1/access', 'vm=other&command=stop'],
    ['/v1/qmp/stop', 'vm=web%201'],
  ])('carries nothing else: %s?%s', (path, query) => {
    expect(() => staged().connection.claim(path, query)).toThrow(
      expect.objectContaining({ code: 'forbidden' }) as Error,
    );
  });

  it('sends what one turn writes as one piece, with its end where that comes in the turn', async () => {
    const { connection, sink } = staged();
    connection.write('a');
    connection.write('b');
    await turn();
    connection.write('c');
    connection.end('d');
    await turn();
    expect([sink.written, sink.told]).toEqual([['ab'], ['end cd']]);
  });

  it('makes writers wait while the other side takes no more', async () => {
    const { connection, sink } = staged();
    sink.takes = false;
    let isWritten = false;
    connection.write(Buffer.alloc(300 * 1024), () => (isWritten = true));
    await turn();
    expect([sink.written.length, isWritten]).toEqual([1, false]);
    connection.drained();
    await turn();
    expect(isWritten).toBe(true);
  });

  it('tells what was used only when somebody reads on', () => {
    const { connection, sink } = staged();
    connection.receive(Buffer.alloc(connection.readableHighWaterMark), false);
    connection.receive(Buffer.from('more'), false);
    expect(sink.told).toEqual([]);
    connection.resume();
    connection.read();
    return expect.poll(() => sink.told).toEqual(['used', 'used']);
  });

  it('of a request has no end before its answer; of those who speak on it has', async () => {
    for (const isUpgrade of [false, true]) {
      const { connection } = staged(isUpgrade);
      let hasEnded = false;
      connection.on('end', () => (hasEnded = true)).resume();
      connection.receive(Buffer.from('x'), true);
      await turn();
      expect(hasEnded).toBe(isUpgrade);
    }
  });

  it('says that it is broken when it ends before its end', async () => {
    const { connection, sink } = staged();
    connection.write('half');
    connection.destroy();
    await turn();
    expect([sink.written, sink.told]).toEqual([[], ['broken', 'left']]);
  });

  it('carries the next request once the answer before is whole, which has its end by then', async () => {
    const { connection, sink } = staged();
    connection.claim('/v1/vms/web%201', '');
    // More than is read before the answer: what is left of it is not the next one's.
    connection.receive(Buffer.alloc(connection.readableHighWaterMark), true);
    connection.write('first');
    expect(connection.answered()).toBe(true);
    expect([sink.written, sink.told]).toEqual([[], ['end first', 'left']]);
    expect(connection.answered()).toBe(false);
    const next = new Sink();
    connection.carry({ ...connection.handed, operation: 'a-2' }, next);
    expect(connection.claim('/v1/vms/web%201', '').operation).toBe('a-2');
    connection.resume();
    connection.write('second');
    await turn();
    connection.destroy();
    await turn();
    expect([next.written, next.told]).toEqual([['second'], ['broken', 'left']]);
    expect(sink.told).toEqual(['end first', 'left']);
  });

  it('that ends with the answer carries no other', async () => {
    const { connection, sink } = staged();
    connection.write('all');
    connection.destroySoon();
    expect(connection.answered()).toBe(false);
    await expect.poll(() => sink.told).toEqual(['end all', 'left']);
  });

  it('ends soon: when what was written is gone', async () => {
    const { connection, sink } = staged();
    connection.write('all');
    connection.destroySoon();
    await expect.poll(() => connection.destroyed).toBe(true);
    expect(sink.told).toEqual(['end all', 'left']);
  });

  it('tells of silence as a socket does', async () => {
    const { connection } = staged();
    let silences = 0;
    connection.setTimeout(20, () => silences++);
    await expect.poll(() => silences).toBe(1);
    connection.setTimeout(0);
    connection.destroy();
  });
});
