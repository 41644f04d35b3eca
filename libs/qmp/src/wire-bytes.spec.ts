import type { Endpoint, MonitorOptions } from '@qmp-gateway/qmp';
import { FaultProxy, Scene, StratovirtFake, probe, syncAnswer } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';

const scene = new Scene();

afterEach(() => scene.end());

/** A monitor at a server, and a look at what it writes. */
async function overheard(endpoint: Endpoint, options: MonitorOptions = {}) {
  const target = endpoint.kind === 'unix' ? endpoint.path : '';
  const proxy = scene.keep(await FaultProxy.start(target), (made) => made.stop());
  let text = '';
  proxy.sent = (bytes) => (text += bytes.toString('latin1'));
  const { monitor } = await scene.ready(proxy.endpoint, options);
  const opening = text;
  /** What a command is on the wire. */
  const written = async (command: string, rest: Parameters<typeof probe>[2] = {}): Promise<string> => {
    text = '';
    await probe(monitor, command, rest).outcome;
    return text;
  };
  /** What a question of the monitor's owner is on the wire. */
  const asked = async (command: string): Promise<string> => {
    text = '';
    await monitor.run(command, undefined, { deadlineMs: 5000 });
    return text;
  };
  return { opening, written, asked };
}

describe('what is written to QEMU', () => {
  it('is the shortest text that says it', async () => {
    const fake = await scene.fake();
    const { opening, written, asked } = await overheard(fake.endpoint);
    expect(opening).toMatch(
      /^\{"execute":"qmp_capabilities","arguments":\{"enable":\["oob"\]\},"id":"[0-9a-f]{16}-1"\}$/,
    );
    const query = await written('query-status');
    expect(query).toMatch(/^\{"execute":"query-status","id":[1-9][0-9]{2}\}$/);
    expect(query).toHaveLength(35);
    expect(await written('qom-get', { argumentsJson: ' {\r\n "path" : "/a b",\t"property":"c" } ' })).toMatch(
      /^\{"execute":"qom-get","arguments":\{"path":"\/a b","property":"c"\},"id":[0-9]{3}\}$/,
    );
    expect(await written('query-yank', { outOfBand: true })).toMatch(/^\{"exec-oob":"query-yank","id":[0-9]{3}\}$/);
    expect(await asked('query-name')).toMatch(/^\{"execute":"query-name","id":[0-9]{3}\}$/);
    expect(await written('quit')).toMatch(/^\{"execute":"quit","id":[0-9]{3}\}$/);
  });
});

describe('what is written to StratoVirt', () => {
  it('has ids that are text, as it takes no others, and no line end', async () => {
    const fake = scene.keep(await StratovirtFake.start(), (made) => made.stop());
    const { opening, written } = await overheard(fake.endpoint);
    expect(opening).toMatch(/^\{"execute":"qmp_capabilities","id":"[0-9a-f]{16}-1"\}$/);
    expect(await written('query-status')).toMatch(/^\{"execute":"query-status","id":"[0-9a-f]{16}-2"\}$/);
    expect(await written('query-workloads', { argumentsJson: '{ }' })).toMatch(
      /^\{"execute":"query-workloads","arguments":\{\},"id":"[0-9a-f]{16}-3"\}$/,
    );
    expect(fake.offences).toEqual([]);
  });
});

describe('what is written to a guest agent', () => {
  it('has ids that are text, and a line end', async () => {
    const fake = await scene.fake({ connected: () => undefined });
    fake.on('guest-sync-delimited', syncAnswer).on('guest-ping', () => ({ json: '{}' }));
    const { opening, written } = await overheard(fake.endpoint, { dialect: 'guest-agent' });
    expect(opening).toMatch(/^\xff\{"execute":"guest-sync-delimited","arguments":\{"id":[0-9]+\}\}\n$/);
    expect(await written('guest-ping')).toMatch(/^\{"execute":"guest-ping","id":"[0-9a-f]{16}-1"\}\n$/);
  });
});
