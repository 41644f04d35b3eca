import { Controller, Get, Inject, Param, Put, Res, UseGuards } from '@nestjs/common';
import { answerHeaders, dryRun, headerReferences, severalCommandsHeaders } from '@qmp-gateway/qapi-openapi';
import type { ServerResponse } from 'node:http';
import { isSecretProperty } from '../access/policy/policy.js';
import { CheckedCommandPath } from '../commands/command-path.js';
import { callerOf, RequestCommands } from '../commands/request-commands.js';
import { RequestForCommand, RequestForVm, type VmRequest } from '../commands/vm-request.js';
import { writeResource, writeValue } from '../http/answer.js';
import { ReplyRoom } from '../http/reply-room.js';
import { anything, either } from '../http/resource/field-type.js';
import { noJson } from '../http/resource/read-shape.js';
import { json, QueryOf, Resource, Tag } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import type { BodyRequest } from '../http/request-context.js';
import { propertyAt, qomPath, qomPathVariable } from './qom-path.js';
import { QomQuery } from './qom-query.js';
import { QomReader, type WithheldSecrets } from './qom-reader.js';
import { readResource } from './qom-resource.js';
import { QomTreeShape } from './qom-shapes.js';
import { renderTree } from './qom-tree.js';

const treeType = shape(() => QomTreeShape);
const headers = headerReferences(severalCommandsHeaders);

/** The object tree of a VM, by paths: objects with what is below them, and properties. */
@Tag('qom', 'The object tree of a VM')
@Controller('v1/vms/:vm/qom')
@UseGuards(ReplyRoom)
export class QomController {
  constructor(@Inject(CheckedCommandPath) private readonly path: CheckedCommandPath) {}

  @Get()
  @Resource({
    id: 'getQomRoot',
    summary: 'The root of the object tree',
    needs: 'level `read`',
    answers: { 200: json('The object', treeType, { headers }) },
  })
  root(
    @RequestForVm() request: VmRequest,
    @QueryOf(QomQuery) query: QomQuery,
    @Res() response: ServerResponse,
  ): Promise<void> {
    return this.#send(request, '/', query, response);
  }

  @Get('*path')
  @Resource({
    id: 'getQom',
    summary: 'An object with its properties, parts and links; or the value of a property',
    description: 'What leads to no object is the property of this name of the object before it.',
    needs: 'level `read`',
    path: { path: qomPathVariable },
    answers: {
      200: json(
        'The object; of a property its value, byte for byte as the VM wrote it',
        either<unknown>([treeType, anything()], 'anyOf'),
        { headers },
      ),
    },
  })
  async get(
    @RequestForVm() request: VmRequest,
    @Param('path') segments: readonly string[],
    @QueryOf(QomQuery) query: QomQuery,
    @Res() response: ServerResponse,
  ): Promise<void> {
    await this.#send(request, qomPath(segments), query, response);
  }

  async #send(request: VmRequest, path: string, query: QomQuery, response: ServerResponse): Promise<void> {
    const { caller, vm, controls } = request;
    const view = query.view();
    const { arrivedAt } = caller;
    const commands = new RequestCommands(this.path, { ...callerOf(caller, vm.id), arrivedAt, ...controls });
    const bulk = vm.schema?.commands.has('qom-list-get') === true;
    const reader = new QomReader(commands, {
      ...{ budget: view.budget, bulk, asked: () => !response.destroyed, secrets: this.#withheld(request) },
    });
    const found = await readResource(path, view, reader);
    const text = typeof found === 'string' ? found : renderTree(found, commands.count, reader.cut);
    writeValue(response, text, caller, reader.trace);
  }

  /** Undefined when the caller may read secrets, or nothing is known of the VM: every command is refused then. */
  #withheld({ caller, vm }: VmRequest): WithheldSecrets | undefined {
    if (vm.schema?.commands.has('qom-get') !== true) return undefined;
    const { arrivedAt } = caller;
    const args = JSON.stringify({ path: '/', property: 'data' });
    const reading = { command: 'qom-get', arguments: { kind: 'json', json: args }, entrance: 'resource' } as const;
    const refused = this.path.refusalOf({ ...callerOf(caller, vm.id), ...reading, arrivedAt });
    if (refused === undefined) return undefined;
    return { isSecret: (property) => isSecretProperty(property, vm), reason: refused.problem.detail };
  }

  /** A property is set by `qom-set`, as its class and the caller's level have it; the body is the value, byte for byte. */
  @Put('*path')
  @Resource({
    id: 'putQomProperty',
    summary: 'Set a property (`qom-set`)',
    needs: 'the level of `qom-set`: `host`',
    path: { path: qomPathVariable },
    body: { content: anything({ description: 'The value' }) },
    answers: {
      200: json('Of a dry run: what would be sent', anything(dryRun), { headers: headerReferences(['X-Request-Id']) }),
      204: { what: 'Set', headers: headerReferences([...Object.keys(answerHeaders), 'Idempotency-Replayed']) },
    },
  })
  async put(
    @RequestForCommand() { caller, vm, controls }: VmRequest,
    @Param('path') segments: readonly string[],
    @Res() response: ServerResponse,
  ): Promise<void> {
    const { owner, name } = propertyAt(qomPath(segments));
    const { bodyText: value } = response.req as BodyRequest;
    if (value === undefined) throw noJson('the value as JSON');
    const commands = new RequestCommands(this.path, { ...callerOf(caller, vm.id), ...controls });
    const args = `{"path":${JSON.stringify(owner)},"property":${JSON.stringify(name)},"value":${value}}`;
    const { json: text, trace } = await commands.run('qom-set', args);
    if (controls.dryRun === true) writeValue(response, text, caller, trace);
    else writeResource(response, caller, trace);
  }
}
