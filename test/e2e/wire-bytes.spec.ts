import { FaultProxy } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();

afterEach(() => scene.end());

/** A gateway at a real QEMU, and what it writes to that. */
async function overheard() {
  const qemu = await scene.qemu();
  const proxy = scene.keep(await FaultProxy.start(qemu.socket), (made) => made.stop());
  let text = '';
  proxy.sent = (bytes) => (text += bytes.toString('latin1'));
  const gateway = await scene.gateway();
  const vm = await registerVm(gateway, `unix:${proxy.endpoint.path}`);
  const preparation = text;
  const writtenBy = async (act: () => Promise<{ status: number; text: string }>) => {
    text = '';
    const { status, text: answer } = await act();
    return { status, answer, written: text };
  };
  return { gateway, vm, preparation, writtenBy };
}

/** Commands as they should be written, nothing between them; the gateway has questions of its own at any time. */
const shortMessages = /^(?:\{"execute":"[a-z-]+"(?:,"arguments":\{[^{} ]+\})?,"id":[1-9][0-9]{2}\})+$/;

describe('the bytes that a real QEMU has to read', () => {
  it('are at most 40 for query-status, in whatever way it is asked', async () => {
    const { gateway, vm, writtenBy } = await overheard();
    const message = '{ "execute" : "query-status" , "arguments" : { } , "id" : "a long id of the client" }';
    const ways = [
      ...['{}', ' {\r\n\t} ', undefined].map((args) => () => run(gateway, vm, 'query-status', { args })),
      () => exchange(gateway, `/v1/vms/${vm}/qmp/query-status`),
      () => exchange(gateway, `/v1/vms/${vm}/qmp`, { method: 'POST', body: message }),
    ];
    for (const way of ways) {
      const { status, answer, written } = await writtenBy(way);
      expect([status, answer]).toEqual([200, expect.stringContaining('"prelaunch"')]);
      expect(written).toMatch(shortMessages);
      const queries = written.match(/\{"execute":"query-status"[^}]*\}/g) ?? [];
      expect(queries.length).toBeGreaterThan(0);
      expect(Math.max(...queries.map(({ length }) => length))).toBeLessThanOrEqual(40);
    }
  });

  it('are no more for the questions of the gateway itself', async () => {
    const { preparation } = await overheard();
    expect(preparation).toMatch(/^\{"execute":"qmp_capabilities",/);
    const commands = preparation.slice(preparation.indexOf('}', preparation.indexOf('"id"')) + 1);
    expect(commands).toMatch(shortMessages);
    expect(commands.split('"execute"').length).toBeGreaterThan(3);
  });

  it('are none of the white space of a client; one with more than a command may have is refused', async () => {
    const { gateway, vm, writtenBy } = await overheard();
    const list = await writtenBy(() => run(gateway, vm, 'qom-list', `{${' \n\t'.repeat(20_000)}"path" : "/machine"}`));
    expect(list.status).toBe(200);
    expect(list.written).toMatch(shortMessages);
    expect(list.written).toContain('{"execute":"qom-list","arguments":{"path":"/machine"},"id":');
    for (const count of [300_000, 600_000]) {
      const refused = await writtenBy(() =>
        run(gateway, vm, 'qom-list', `{${' \n\t'.repeat(count)}"path" : "/machine"}`),
      );
      expect([refused.status, refused.written.includes('qom-list')]).toEqual([413, false]);
    }
  });
});
