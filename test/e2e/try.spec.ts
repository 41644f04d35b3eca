import { afterAll, it } from 'vitest';
import { fakeMachine, fakeMachineSettings, echo } from './fake-machine.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
const scene = new GatewayScene();
afterAll(() => scene.end());
it('x', async () => {
  console.time('g');
  const g = await scene.gateway({ settings: fakeMachineSettings });
  console.timeEnd('g');
  const m = await fakeMachine(scene);
  const vm = await registerVm(g, m.endpoint);
  console.timeEnd('g');
  console.log(await run(g, vm, echo, '{"integer":9223372036854775807, "integers": ["12"]}'));
  console.log(m.received.map((c)=>c.raw.toString()));
  console.log(await makeToken(g, 'read').catch((e) => e));
  const q = await scene.qemu({qmpSockets: 2});
  const v2 = await registerVm(g, `unix:${q.socket}`);
  console.log((await run(g, v2, 'query-commands')).text.length, g.stderr());
});
