import { RawQmpClient, type Qemu } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let qemu: Qemu;
let own: RawQmpClient;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway();
  qemu = await scene.qemu({
    machine: 'q35',
    qmpSockets: 2,
    args: ['-device', 'pcie-root-port,id=rp0', '-object', 'rng-builtin,id=rng', '-drive', 'if=none,id=empty'],
  });
  vm = await registerVm(gateway, `unix:${qemu.socket}`);
  own = scene.keep(await RawQmpClient.connect(qemu.sockets[1] ?? ''), (client) => client.close());
  await own.negotiate();
});
afterAll(() => scene.end());

/** The return value as QEMU itself writes it to another client. */
async function ownValue(message: string): Promise<string> {
  const line = await own.command(message);
  return /^\{"return": (.*)\}$/.exec(line)?.[1] ?? line;
}

describe('answers of a real QEMU', () => {
  it.each([
    ['query-status', '{"execute":"query-status"}'],
    ['query-version', '{"execute":"query-version"}'],
    ['query-block', '{"execute":"query-block"}'],
    ['qom-list?path=/machine', '{"execute":"qom-list","arguments":{"path":"/machine"}}'],
  ])('%s: the bytes its own monitor gives', async (resource, message) => {
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/${resource}`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.text).toBe(await ownValue(message));
  });

  it('takes and gives back 2^63-1 digit for digit', async () => {
    const created = await run(
      gateway,
      vm,
      'object-add',
      '{"qom-type":"iothread","id":"io-max","poll-max-ns":9223372036854775807}',
    );
    expect([created.status, created.text]).toEqual([200, '{}']);
    const threads = await exchange(gateway, `/v1/vms/${vm}/qmp/query-iothreads`);
    expect(threads.text).toContain('"poll-max-ns": 9223372036854775807');
    expect(await ownValue('{"execute":"query-iothreads"}')).toBe(threads.text);
  });

  it('adds a device with properties that introspection does not list', async () => {
    const added = await run(
      gateway,
      vm,
      'device_add',
      '{"driver":"virtio-rng-pci","id":"rng0","bus":"rp0","rng":"rng","max-bytes":9223372036854775807}',
    );
    expect([added.status, added.text]).toEqual([200, '{}']);
    const get = '{"execute":"qom-get","arguments":{"path":"/machine/peripheral/rng0","property":"max-bytes"}}';
    expect(await ownValue(get)).toBe('9223372036854775807');
  });
});
