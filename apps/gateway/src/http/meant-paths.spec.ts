import { describe, expect, it } from 'vitest';
import { meantMethod } from './meant-methods.js';
import { meantPaths } from './meant-paths.js';

const templates = [
  ...['/v1', '/v1/vms', '/v1/vms/:vm', '/v1/vms/:vm/events', '/v1/vms/:vm/schema', '/v1/vms/:vm/screen.png'],
  ...['/v1/events', '/v1/access', '/v1/tokens', '/v1/tokens/:id', '/v1/vms/:vm/qom', '/v1/vms/:vm/qom/*path'],
  ...['/livez', '/docs', '/v1/vms/:vm/operations/:id'],
];

describe('meantPaths', () => {
  it.each([
    ['/vms', ['/v1/vms']],
    ['/vms/m1', ['/v1/vms/m1']],
    ['/vms/m1/qmp/query-status', ['/v1/vms/m1/qmp/query-status']],
    ['/v1/vms/m1/query-status', ['/v1/vms/m1/qmp/query-status']],
    ['/vms/m1/stop', ['/v1/vms/m1/qmp/stop']],
    ['/v1/vms/m1/guest-ping', ['/v1/vms/m1/agent/guest-ping']],
    ['/v1/vms/', ['/v1/vms']],
    ['/v1//vms/m1/', ['/v1/vms/m1']],
    ['/v1/vms/m1/qmp/', ['/v1/vms/m1/qmp']],
    ['/v1/vms/m1/qmp/stop/', ['/v1/vms/m1/qmp/stop']],
    ['/V1/vms', ['/v1/vms']],
    ['/v1/vm/m1', ['/v1/vms/m1']],
    ['/v1/vms/m1/event', ['/v1/vms/m1/events']],
    ['/v1/token', ['/v1/tokens']],
    ['/livez/', ['/livez']],
    ['/v1/vms/m1/operation/x.1', ['/v1/vms/m1/operations/x.1']],
    ['/', ['/docs']],
    ['/v1/frobnicate', []],
    ['/v1/vms/m1/frobnicate', []],
    ['/wp-login.php', []],
    [`/${'v1/'.repeat(50)}`, []],
    [`/vms/${'x'.repeat(400)}`, []],
  ])('%s: %j', (path, meant) => {
    expect(meantPaths(path, templates)).toEqual(meant);
  });
});

describe('meantMethod', () => {
  it('leads to where a request of that method belongs', () => {
    expect(meantMethod('POST', '/v1/vms')?.meant).toBe('PUT /v1/vms/{vm}');
    expect(meantMethod('POST', '/v1/vms/m1')?.meant).toBe('POST /v1/vms/m1/qmp');
    expect(meantMethod('DELETE', '/v1/vms')).toBeUndefined();
  });
});
