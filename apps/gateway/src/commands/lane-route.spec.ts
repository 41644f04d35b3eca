import { describe, expect, it } from 'vitest';
import { matchRoute } from './lane-route.js';

describe('the lane', () => {
  it.each([
    ['GET', '/v1/vms/web-1/qmp/query-status', { kind: 'command', vm: 'web-1', agent: false, command: 'query-status' }],
    ['POST', '/v1/vms/web-1/agent/guest-info', { kind: 'command', vm: 'web-1', agent: true, command: 'guest-info' }],
    ['POST', '/v1/vms/web-1/qmp', { kind: 'message', vm: 'web-1', agent: false }],
    ['POST', '/v1/vms/web-1/agent', { kind: 'message', vm: 'web-1', agent: true }],
    ['POST', '/v1/qmp/stop', { kind: 'fan-out', command: 'stop' }],
    ['POST', '/v1/vms/a%20b/qmp/x%2Fy', { kind: 'command', vm: 'a b', agent: false, command: 'x/y' }],
    // The method is refused later, with what is allowed.
    ['DELETE', '/v1/vms/web-1/qmp/stop', { kind: 'command', vm: 'web-1', agent: false, command: 'stop' }],
  ])('takes %s %s', (method, path, route) => {
    expect(matchRoute(method, path)).toEqual(route);
    // From what is remembered.
    expect(matchRoute(method, path)).toEqual(route);
  });

  it.each([
    ['GET', '/v1/vms/web-1'],
    ['GET', '/v1/vms/web-1/qmp/query-status/more'],
    ['GET', '/v1/vms/web-1/agent'],
    ['HEAD', '/v1/vms/web-1/agent'],
    ['POST', '/v1/vms/web-1/agent/exec'],
    ['GET', '/v1/vms/web-1/agent/openapi.json'],
    ['POST', '/v1/qmp'],
    ['POST', '/v1/vms//qmp/stop'],
    ['POST', '/v1/vms/%E0/qmp/stop'],
    ['POST', '/v1/vms/web-1/qmp/%E0'],
    ['POST', '/v1/qmp/%E0'],
  ])('leaves %s %s to others', (method, path) => {
    expect(matchRoute(method, path)).toBeUndefined();
  });
});
