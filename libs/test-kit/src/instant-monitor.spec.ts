import { expect, it } from 'vitest';
import { InstantMonitor } from './instant-monitor.js';
import { RawQmpClient } from './raw-qmp-client.js';

it('answers with the id of the message, and without one to a message that has none', async () => {
  const monitor = await InstantMonitor.start({ 'query-status': '{"running": true}' });
  const client = await RawQmpClient.connect(monitor.endpoint.path);
  await client.negotiate();
  expect(await client.command('{"execute":"query-status","arguments":{},"id":"a-1"}')).toBe(
    '{"return": {"running": true}, "id": "a-1"}',
  );
  expect(await client.command('{"execute":"query-status","arguments":{}}')).toBe('{"return": {"running": true}}');
  expect(await client.command('{"execute":"query-name","id":7}')).toBe('{"return": {}, "id": 7}');
  client.close();
  await monitor.stop();
});
