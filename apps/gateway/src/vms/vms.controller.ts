import { Controller, Delete, Get, HttpCode, Inject, Param, Put, Req } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { Caller } from '../access/caller.js';
import { JsonAnswer } from '../http/json-answer.js';
import { BodyOf, HeadersOf, json, QueryOf, Resource, Tag } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { parseDuration } from '../settings/duration.js';
import { VmAdministration } from './vm-administration.js';
import { VmDirectory } from './vm-directory.js';
import { VmOfPath } from './vm-of-path.js';
import { continuation, Creation, VmListQuery, VmListShape, VmRegistration, VmShape, VmWait } from './vm-shapes.js';
import type { Vm } from './vm.js';

const manage = "level `host`, or `configure` within the principal's endpoint globs";
const vmType = shape(() => VmShape);

/** `/v1/vms`: which VMs there are and how they are, from memory alone: no VM can delay these answers. */
@Tag('vms', 'Which VMs there are')
@Controller('v1/vms')
export class VmsController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(VmAdministration) private readonly administration: VmAdministration,
  ) {}

  @Get()
  @Resource({
    id: 'listVms',
    summary: 'The selected VMs at one moment',
    description:
      'Follow events from `cursor`, replacing rows, to stay current. With `limit` the list comes in pages: each has the `cursor` of the first, from which events tell what changed meanwhile.',
    needs: 'level `read`',
    answers: {
      200: json(
        'From memory: no VM is asked',
        shape(() => VmListShape),
      ),
    },
  })
  list(@Caller() { principal }: AuthenticatedContext, @QueryOf(VmListQuery) query: VmListQuery): JsonAnswer {
    const { node, limit } = query;
    const after = query.place();
    const cursor = after?.cursor ?? this.directory.head();
    const { rows, end } = this.directory.list(principal, query.selector(), { node, limit, after });
    const more = end === undefined ? '' : `,"continue":${JSON.stringify(continuation(cursor, end))}`;
    return new JsonAnswer(`{"vms":[${rows.join(',')}],"cursor":${JSON.stringify(cursor)}${more}}`);
  }

  @Get(':vm')
  @Resource({
    id: 'getVm',
    summary: 'One VM',
    needs: 'level `read`',
    answers: { 200: json('The VM', vmType) },
  })
  async one(
    @Caller() { principal }: AuthenticatedContext,
    @VmOfPath() vm: Vm,
    @QueryOf(VmWait) { wait }: VmWait,
    @Req() request: IncomingMessage,
  ): Promise<JsonAnswer> {
    const waitMs = parseDuration(wait ?? '0') ?? 0;
    if (waitMs > 0) await this.directory.untilReady(vm, waitMs, request);
    // It may have been forgotten, or replaced, meanwhile.
    return new JsonAnswer(this.directory.render(principal, this.directory.require(principal, vm.id)));
  }

  @Put(':vm')
  @Resource({
    id: 'putVm',
    summary: 'Register a VM or replace its registration',
    description: 'New labels keep the session with the VM, a new endpoint starts one.',
    needs: manage,
    answers: { 200: json('Replaced', vmType), 201: json('Created', vmType) },
    problems: ['vm-not-found', 'vm-exists', 'vm-managed', 'audit-unavailable'],
  })
  async put(
    @Caller() caller: AuthenticatedContext,
    @Param('vm') id: string,
    @BodyOf(VmRegistration) registration: VmRegistration,
    @HeadersOf(Creation) { 'If-None-Match': ifNoneMatch }: Creation,
  ): Promise<JsonAnswer> {
    const { vm, created } = await this.administration.put(caller, id, registration, ifNoneMatch === '*');
    return new JsonAnswer(this.directory.render(caller.principal, vm), { status: created ? 201 : 200 });
  }

  @Delete(':vm')
  @HttpCode(204)
  @Resource({
    id: 'deleteVm',
    summary: 'Forget a VM; the VM itself is not touched',
    needs: manage,
    answers: { 204: { what: 'Forgotten' } },
    problems: ['vm-not-found', 'vm-managed', 'audit-unavailable'],
  })
  async delete(@Caller() caller: AuthenticatedContext, @Param('vm') id: string): Promise<void> {
    await this.administration.delete(caller, id);
  }
}
