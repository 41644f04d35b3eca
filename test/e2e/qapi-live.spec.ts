import { modelFromIntrospection, readJson, validateArguments, type QapiModel } from '@qmp-gateway/qapi';
import { launchQemu, LineReader, makeTempDir, removeTempDir, type Qemu } from '@qmp-gateway/test-kit';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

/** A monitor that dials in to us: there is no moment at which it could not be connected to yet. */
class DialledMonitor {
  readonly #lines: LineReader;

  private constructor(
    private readonly socket: Socket,
    private readonly qemu: Qemu,
    private readonly directory: string,
  ) {
    this.#lines = new LineReader(socket);
  }

  static async start(): Promise<DialledMonitor> {
    const directory = makeTempDir();
    const address = path.join(directory, 'dial');
    const server = createServer().listen(address);
    await once(server, 'listening');
    const dialled = once(server, 'connection') as Promise<[Socket]>;
    const args = ['-chardev', `socket,id=q,path=${address}`, '-mon', 'chardev=q,mode=control'];
    const qemu = await launchQemu({ qmpSockets: 0, args });
    const ended = qemu.ended.then(() => Promise.reject(new Error(`QEMU ended: ${qemu.stderr()}`)));
    ended.catch(() => undefined);
    const [socket] = await Promise.race([dialled, ended]);
    server.close();
    const monitor = new DialledMonitor(socket, qemu, directory);
    await monitor.#lines.next();
    await monitor.command('{"execute":"qmp_capabilities"}');
    return monitor;
  }

  /** Sends a message and returns the line of its answer. */
  async command(message: string): Promise<string> {
    this.socket.write(`${message}\n`);
    for (;;) {
      const line = await this.#lines.next();
      if (line === null) throw new Error(`closed before the answer to ${message}: ${this.qemu.stderr()}`);
      if (/^\{"(return|error)"/.test(line)) return line;
    }
  }

  async stop(): Promise<void> {
    this.socket.destroy();
    await this.qemu.stop();
    removeTempDir(this.directory);
  }
}

/** The bytes of the `return` value. */
function returnOf(line: string): string {
  const { text, root } = readJson(line);
  const member = root.kind === 'object' ? root.members.find(({ name }) => name === 'return') : undefined;
  if (!member) throw new Error(`no return in ${line.slice(0, 200)}`);
  return text.slice(member.value.start, member.value.end);
}

/** What QEMU's input visitors say, as against a command that got its arguments and failed. */
const VISITOR_ERROR = /"desc": "(Parameter|Invalid parameter)/;

describe('the model of a live QEMU', () => {
  let client: DialledMonitor;
  let introspection: string;
  let model: QapiModel;

  beforeAll(async () => {
    client = await DialledMonitor.start();
    introspection = returnOf(await client.command('{"execute":"query-qmp-schema"}'));
    model = modelFromIntrospection(introspection);
    return () => client.stop();
  });

  it('has exactly the commands of the VM', async () => {
    const commands = JSON.parse(returnOf(await client.command('{"execute":"query-commands"}'))) as { name: string }[];
    expect([...model.commands.keys()].sort()).toEqual(commands.map(({ name }) => name).sort());
    const version = returnOf(await client.command('{"execute":"query-version"}'));
    if (/"minor": 2, "major": 7/.test(version)) expect([model.commands.size, model.events.size]).toEqual([216, 52]);
  });

  it('gives every type a readable name of its own', () => {
    for (const [name, type] of model.types) {
      expect(type.name).toBe(name);
      expect(name).toMatch(/^\[?[A-Za-z][A-Za-z0-9]*\]?$/);
    }
    expect(model.commands.get('blockdev-add')?.arguments.name).toBe('BlockdevAddArguments');
    expect(model.types.get('QueryBlockReturn')).toMatchObject({ kind: 'object' });
  });

  it('has every type that a command or event leads to', () => {
    type Reference = { type?: string };
    type Entry = { name: string; members?: Reference[]; variants?: Reference[] } & Record<string, string>;
    const entries = JSON.parse(introspection) as Entry[];
    const types = new Map<string, Entry>();
    const reached = new Set<string | undefined>();
    for (const entry of entries) {
      if (!['command', 'event'].includes(entry['meta-type']!)) types.set(entry.name, entry);
      else for (const type of [entry['arg-type'], entry['ret-type']]) reached.add(type);
    }
    for (const name of reached) {
      const entry = types.get(name ?? '');
      reached.add(entry?.['element-type']);
      for (const { type } of [...(entry?.members ?? []), ...(entry?.variants ?? [])]) reached.add(type);
    }
    reached.delete(undefined);
    expect(model.types.size).toBe(reached.size);
  });

  it.each([
    ['query-block', '{}'],
    ['query-block', '{"":1}'],
    ['set_link', '{"name":"x","up":true}'],
    ['set_link', '{"name":"x","up":1}'],
    ['set_link', '{"name":"x"}'],
    ['set_link', '{"name":"x","up":false,"UP":false}'],
    ['balloon', '{"value":-5}'],
    ['balloon', '{"value":9223372036854775807}'],
    ['balloon', '{"value":1.0}'],
    ['balloon', '{"value":1e3}'],
    ['balloon', '{"value":null}'],
    ['block_resize', '{"device":"none","size":0}'],
    ['block_resize', '{"device":null,"size":0}'],
    ['human-monitor-command', '{"command-line":"info name","cpu-index":null}'],
    ['migrate-set-parameters', '{"tls-creds":null}'],
    ['migrate-set-parameters', '{"tls-creds":"x"}'],
    ['migrate-set-parameters', '{"tls-creds":1}'],
    ['migrate-set-parameters', '{"max-bandwidth":null}'],
    ['blockdev-add', '{"filename":"x"}'],
    ['blockdev-add', '{"driver":"null-co","filename":"x"}'],
    ['blockdev-add', '{"driver":"null-c"}'],
    ['blockdev-add', '{"driver":"raw","node-name":"n1","file":5}'],
    ['blockdev-add', '{"driver":"raw","node-name":"n1","file":"none"}'],
    ['blockdev-add', '{"driver":"raw","node-name":"n1","file":{"driver":"null-co","size":[]}}'],
    ['blockdev-add', '{"driver":"qcow2","node-name":"n1","file":"none","overlap-check":"nope"}'],
    [
      'blockdev-add',
      '{"driver":"qcow2","node-name":"n1","file":"none","overlap-check":{"template":"all","inactive-l2":1}}',
    ],
    ['blockdev-add', '{"driver":"qcow2","node-name":"n1","file":"none","backing":null}'],
    ['send-key', '{"keys":[{"type":"qcode","data":"ctrl"},{"type":"number","data":"ctrl"}]}'],
    ['send-key', '{"keys":{"type":"qcode","data":"ctrl"}}'],
    ['qom-set', '{"path":"/nothing","property":"x","value":{"any":[1.5,null]}}'],
    ['qom-set', '{"path":"/nothing","property":"x"}'],
    ['object-add', '{"qom-type":"iothread","id":"t1","poll-max-ns":-0}'],
    ['object-add', '{"qom-type":"iothread","id":"t2","size":1}'],
    ['transaction', '{"actions":[{"type":"abort","data":{"x":1}}]}'],
    ['transaction', '{"actions":[{"type":"abort","data":{}}]}'],
  ])('%s %s: the same verdict as QEMU', async (name, json) => {
    const answer = await client.command(`{"execute":"${name}","arguments":${json}}`);
    const command = model.commands.get(name);
    const { faults } = validateArguments(command!, readJson(json));
    expect(faults.length > 0, `${answer} against ${JSON.stringify(faults)}`).toBe(VISITOR_ERROR.test(answer));
  });

  it('sends digits in quotes so that QEMU reads them to the last one', async () => {
    const json = '{"qom-type":"iothread","id":"exact","poll-max-ns":"9223372036854775807"}';
    const checked = validateArguments(model.commands.get('object-add')!, readJson(json));
    expect(checked.faults).toEqual([]);
    expect(await client.command(`{"execute":"object-add","arguments":${checked.json ?? ''}}`)).toContain('"return"');
    expect(await client.command('{"execute":"query-iothreads"}')).toContain('"poll-max-ns": 9223372036854775807');
  });
});
