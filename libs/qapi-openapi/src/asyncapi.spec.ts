import { Parser } from '@asyncapi/parser';
import { compileSchema } from '@qmp-gateway/qapi';
import { describe, expect, it } from 'vitest';
import { asyncApiDocument } from './asyncapi.js';

const { model } = compileSchema('test.json', {
  read: () => `
{ 'enum': 'Kind', 'data': ['a', 'b'] }
{ 'struct': 'Alpha', 'data': { '*next': 'Data' } }
{ 'union': 'Data', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'a': 'Alpha' } }
{ 'event': 'STOP' }
{ 'event': 'CHANGED', 'data': { 'data': 'Data', 'old': { 'type': 'int', 'features': ['deprecated'] } } }`,
});
/** Severities are 0 error, 1 warning, 2 information, 3 hint. */
const information = 2;
const object = { type: 'object' };
const methods = ['execute', 'subscribe', 'unsubscribe', 'vms', 'ping'];
const gateway = {
  schemas: { Vm: object, CommandOperation: object, StreamEvent: object, EventGap: object },
  rpcMethods: methods.map((name) => ({ name, summary: `About ${name}`, params: object, result: object })),
  channels: [
    {
      ...{ name: 'line', address: '/v1/vms/{vm}/line', title: 'Line', description: 'Bytes of a line.' },
      parameters: { vm: { description: 'Id of the VM' } },
      sends: [
        { name: 'lineOutput', title: 'Output' },
        { name: 'lineNews', title: 'News', payload: object },
      ],
      receives: [{ name: 'lineInput', title: 'Input' }],
    },
  ],
};
const document = asyncApiDocument(model, { gateway, summary: (event) => `About ${event.name}` });

describe('the AsyncAPI document', () => {
  it('passes the parser of AsyncAPI without error', async () => {
    const { diagnostics } = await new Parser().parse(JSON.stringify(document));
    expect(diagnostics.filter((each) => (each.severity as number) < information)).toEqual([]);
  });

  it('has each event of the VM and of the gateway on both event channels', () => {
    const names = ['CHANGED', 'STOP', 'vm-changed', 'vm-removed', 'operation', 'bookmark', 'gap'];
    expect(Object.keys(document.channels['events']!.messages)).toEqual(names);
    expect(Object.keys(document.channels['vmEvents']!.messages)).toEqual(names);
    expect(document.components.messages['STOP']).toMatchObject({
      summary: 'About STOP',
      payload: { allOf: [{ $ref: '#/components/schemas/StreamEvent' }, { properties: { event: { const: 'STOP' } } }] },
    });
  });

  it('has each method of the WebSocket with its answers', () => {
    for (const method of methods) {
      expect(document.operations[method]).toMatchObject({
        action: 'receive',
        messages: [{ $ref: `#/channels/jsonRpc/messages/${method}Request` }],
        reply: {
          messages: [
            { $ref: `#/channels/jsonRpc/messages/${method}Result` },
            { $ref: '#/channels/jsonRpc/messages/rpcError' },
          ],
        },
      });
    }
  });

  it('has each channel of a resource with what goes either way', () => {
    expect(Object.keys(document.channels['line']!.messages)).toEqual(['lineOutput', 'lineNews', 'lineInput']);
    expect(document.operations['lineReceive']).toMatchObject({
      ...{ action: 'receive', messages: [{ $ref: '#/channels/line/messages/lineInput' }] },
    });
    expect(document.components.messages['lineInput']).toMatchObject({ contentType: 'application/octet-stream' });
    expect(document.components.messages['lineNews']).toMatchObject({ payload: object });
  });

  it('leaves out `discriminator`, which is another thing in AsyncAPI', () => {
    expect(JSON.stringify(document)).not.toContain('discriminator');
  });
});
