import { describe, expect, it } from 'vitest';
import { SerialSearch } from './found-serials.js';

const commands = new Map(['query-chardev', 'qom-list', 'qom-get'].map((name) => [name, {}])) as never;

class Machine {
  readonly asked: string[] = [];

  constructor(
    readonly chardevs: Record<string, string>,
    readonly devices: Record<string, { type: string; chardev?: string; name?: string }>,
  ) {}

  readonly ask = (command: string, json = '{}'): Promise<Buffer | undefined> => {
    this.asked.push(command);
    const { path = '', property = '' } = JSON.parse(json) as { path?: string; property?: string };
    const value = (): unknown => {
      if (command === 'query-chardev')
        return Object.entries(this.chardevs).map(([label, filename]) => ({ label, filename, 'frontend-open': true }));
      if (command === 'qom-get')
        return (this.devices[path.split('/').at(-1) ?? ''] as unknown as Record<string, unknown>)[property];
      if (path !== '/machine/peripheral') return [];
      return Object.entries(this.devices).map(([name, { type }]) => ({ name, type: `child<${type}>` }));
    };
    return Promise.resolve(Buffer.from(JSON.stringify(value() ?? null)));
  };

  find(search = new SerialSearch()) {
    return search.run(this.ask, { commands }, ['qmp']);
  }
}

const line = { com1: { type: 'isa-serial', chardev: 's0' } };

describe('the serial lines of a VM', () => {
  it('are the character devices of its serial devices', async () => {
    const machine = new Machine(
      { s0: 'disconnected:unix:/p/s0,server=on', p0: 'pty:/dev/pts/3', qmp: 'unix:/p/qmp,server=on' },
      { ...line, com2: { type: 'isa-serial', chardev: 'p0' }, net: { type: 'virtio-net-pci' } },
    );
    const { serials, reason } = (await machine.find())!;
    expect(reason).toBeNull();
    expect(serials.map(({ id, backEnd, device }) => [id, backEnd.kind, device.path])).toEqual([
      ['s0', 'socket', '/machine/peripheral/com1'],
      ['p0', 'pty', '/machine/peripheral/com2'],
    ]);
  });

  it('are never monitors and never the ports of agents, whoever names them', async () => {
    const machine = new Machine(
      { hmp: 'disconnected:unix:/p/hmp,server=on', ga: 'disconnected:unix:/p/ga,server=on', spice: 'pty:/dev/pts/1' },
      {
        ga0: { type: 'virtserialport', chardev: 'ga', name: 'org.qemu.guest_agent.0' },
        sp: { type: 'virtserialport', chardev: 'spice', name: 'com.redhat.spice.0' },
        gpu: { type: 'virtio-gpu-pci', chardev: 'hmp' },
      },
    );
    expect(await machine.find()).toEqual({ serials: [], reason: expect.stringContaining('no serial device') });
  });

  it('are none where nothing can be attached to, which costs one question', async () => {
    const machine = new Machine({ s0: 'null', x: 'file', qmp: 'unix:/p/qmp,server=on' }, line);
    expect((await machine.find())?.serials).toEqual([]);
    expect(machine.asked).toEqual(['query-chardev']);
  });

  it('say what serial devices are on when the gateway cannot attach to it', async () => {
    const machine = new Machine({ s0: 'file', other: 'unix:/p/other,server=on' }, line);
    expect((await machine.find())?.reason).toContain('(s0: file)');
  });

  it('are asked for again only when the character devices are others', async () => {
    const machine = new Machine({ s0: 'disconnected:unix:/p/s0,server=on' }, line);
    const search = new SerialSearch();
    await machine.find(search);
    machine.asked.length = 0;
    await machine.find(search);
    expect(machine.asked).toEqual(['query-chardev']);
    machine.chardevs['s1'] = 'pty:/dev/pts/9';
    await machine.find(search);
    expect(machine.asked).toContain('qom-list');
  });

  it('have ids that can stand in a path, and a bound', async () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`s${at}`, 'ringbuf']));
    const devices = Object.keys(many).map((chardev) => [`d${chardev}`, { type: 'isa-serial', chardev }] as const);
    const machine = new Machine(
      { ...many, 'a/b': 'ringbuf', '': 'ringbuf' },
      { odd: { type: 'isa-serial', chardev: 'a/b' }, ...Object.fromEntries(devices) },
    );
    const { serials } = (await machine.find())!;
    expect(serials).toHaveLength(32);
    expect(serials[0]?.id).toBe('s0');
  });

  it('of a server that does not tell are none, and nothing is asked', async () => {
    const machine = new Machine({}, {});
    const found = await new SerialSearch().run(machine.ask, { commands: new Map() }, []);
    expect(found).toEqual({ serials: [], reason: expect.stringContaining('does not tell') });
    expect(machine.asked).toEqual([]);
  });
});
