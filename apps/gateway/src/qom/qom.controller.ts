import { Controller, Get, Inject, Param, Put, Req, Res, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { isSecretProperty } from '../access/policy.js';
import { CheckedCommandPath } from '../commands/command-path.js';
import { readControls } from '../commands/controls.js';
import { ReplyRoom } from '../commands/reply-room.js';
import { callerOf, readResourceControls, RequestCommands, type CommandCaller } from '../commands/request-commands.js';
import { writeResource, writeValue } from '../listeners/answer.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import type { BodyRequest } from '../listeners/strict-json-body.js';
import { Problem } from '../problems/problem.js';
import { VmDirectory } from '../vms/vm-directory.js';
import type { Vm } from '../vms/vm.js';
import { ownerOf, qomPath } from './qom-path.js';
import { readQomView } from './qom-query.js';
import { QomReader, type WithheldSecrets } from './qom-reader.js';
import { readResource } from './qom-resource.js';
import { renderTree } from './qom-tree.js';

/** The object tree of a VM, by paths: objects with what is below them, and properties. */
@Controller('v1/vms/:vm/qom')
@UseGuards(ReplyRoom)
export class QomController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
  ) {}

  @Get(['', '*path'])
  async get(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') id: string,
    @Param('path') segments: readonly string[] = [],
  ): Promise<void> {
    const { gateway: context } = request;
    const vm = this.directory.require(context.principal, id);
    const path = qomPath(segments);
    const view = readQomView(context.query);
    const controls = readResourceControls(request.headers);
    const { arrivedAt } = context;
    const caller = callerOf(context, vm.id);
    const commands = new RequestCommands(this.path, { ...caller, arrivedAt, ...controls });
    const bulk = vm.schema?.commands.has('qom-list-get') === true;
    const secrets = this.#withheld(vm, caller, arrivedAt);
    const reader = new QomReader(commands, view.budget, bulk, () => !response.destroyed, secrets);
    const found = await readResource(path, view, reader);
    const json = typeof found === 'string' ? found : renderTree(found, commands.count, reader.cut);
    writeValue(response, json, context, reader.trace);
  }

  /** Undefined when the caller may read secrets, or nothing is known of the VM: every command is refused then. */
  #withheld(vm: Vm, caller: CommandCaller, arrivedAt: number): WithheldSecrets | undefined {
    if (vm.schema?.commands.has('qom-get') !== true) return undefined;
    const json = JSON.stringify({ path: '/', property: 'data' });
    const reading = { command: 'qom-get', arguments: { kind: 'json', json }, entrance: 'resource', arrivedAt } as const;
    const refused = this.path.refusalOf({ ...caller, ...reading });
    if (refused === undefined) return undefined;
    return { isSecret: (property) => isSecretProperty(property, vm), reason: refused.problem.detail };
  }

  /** A property is set by `qom-set`, as its class and the caller's level have it; the body is the value, byte for byte. */
  @Put('*path')
  async put(
    @Req() request: BodyRequest,
    @Res() response: ServerResponse,
    @Param('vm') id: string,
    @Param('path') segments: readonly string[],
  ): Promise<void> {
    const { gateway: context, bodyText: value } = request;
    const vm = this.directory.require(context.principal, id);
    const place = ownerOf(qomPath(segments));
    if (place === undefined) throw new Problem('invalid-request', 'The root has no value: name a property.');
    if (value === undefined) throw new Problem('malformed-json', 'There is no body; send the value as JSON.');
    const controls = readControls(request.headers, context.query);
    const commands = new RequestCommands(this.path, { ...callerOf(context, vm.id), ...controls });
    const { owner, name } = place;
    const args = `{"path":${JSON.stringify(owner)},"property":${JSON.stringify(name)},"value":${value}}`;
    const { json, trace } = await commands.run('qom-set', args);
    if (controls.dryRun === true) writeValue(response, json, context, trace);
    else writeResource(response, context, trace);
  }
}
