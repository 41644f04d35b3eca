import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { Caller } from '../access/caller.js';
import { JsonAnswer } from '../http/json-answer.js';
import { text } from '../http/resource/field-type.js';
import { json, QueryOf, Resource, Tag } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { parseDuration } from '../settings/duration.js';
import { OperationDesk, type OperationAddress } from './operation-desk.js';
import {
  OperationListShape,
  OperationPageShape,
  OperationSelection,
  OperationShape,
  OperationWaitQuery,
} from './operation-shapes.js';

const defaultLimit = 1000;
const needs = 'level `read`; level `host` sees those of others';
export const operationType = shape(() => OperationShape);
export const operationPath = { id: { type: text(), what: 'The `QMP-Operation` of an answer' } };

/** What became of commands, and of the work that goes on after their reply. */
@Tag('operations', 'What became of commands, and of the work that goes on after their reply')
@Controller('v1')
export class OperationsController {
  constructor(@Inject(OperationDesk) private readonly desk: OperationDesk) {}

  @Get('operations')
  @Resource({
    id: 'listAllOperations',
    summary: "The caller's operations on all selected VMs, the newest first",
    description:
      'List, then follow `operation` events from `cursor`. In a fleet: those on the VMs of this node; of a VM of another node its own list tells, at every node.',
    needs,
    answers: {
      200: json(
        'Operations',
        shape(() => OperationPageShape),
      ),
    },
  })
  all(
    @Caller() { principal }: AuthenticatedContext,
    @QueryOf(OperationSelection) selection: OperationSelection,
  ): JsonAnswer {
    const { state, limit = defaultLimit } = selection;
    return new JsonAnswer(this.desk.ofAll(principal, selection.selector(), state, limit), { ofVms: true });
  }

  @Get('vms/:vm/operations')
  @Resource({
    id: 'listOperations',
    summary: "The caller's operations on this VM, the newest first",
    description:
      'Outcomes of commands are kept for ten minutes, the work of those that go on after their reply for a day.',
    needs,
    answers: {
      200: json(
        'Operations',
        shape(() => OperationListShape),
      ),
    },
    problems: ['vm-not-found'],
  })
  list(@Caller() { principal }: AuthenticatedContext, @Param('vm') vm: string): JsonAnswer {
    return new JsonAnswer(this.desk.ofVm(principal, vm), { ofVms: true });
  }

  @Get('vms/:vm/operations/:id')
  @Resource({
    id: 'getOperation',
    summary: 'What became of a command and its work',
    needs,
    path: operationPath,
    answers: { 200: json('The operation', operationType) },
    problems: ['vm-not-found', 'operation-not-found'],
  })
  async one(
    @Caller() { principal }: AuthenticatedContext,
    @Param() address: OperationAddress,
    @QueryOf(OperationWaitQuery) { wait }: OperationWaitQuery,
    @Req() request: IncomingMessage,
  ): Promise<JsonAnswer> {
    const waitMs = parseDuration(wait ?? '0') ?? 0;
    return new JsonAnswer(await this.desk.one(principal, address, waitMs, request), { ofVms: true });
  }
}
