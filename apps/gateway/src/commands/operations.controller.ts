import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { Principal } from '../access/principal.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { sendJson } from '../listeners/answer.js';
import { OperationStore, renderOperation, type Operation } from './operations.js';

/** What became of commands: their own principal may ask, and level `host`. */
@Controller('v1/vms/:vm/operations')
export class OperationsController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(OperationStore) private readonly operations: OperationStore,
  ) {}

  @Get()
  list(@Req() request: GatewayRequest, @Res() response: ServerResponse, @Param('vm') id: string): void {
    onlyParameters(request.gateway.query, []);
    const { principal } = request.gateway;
    const vm = this.directory.require(principal, id);
    const own = this.operations.list(vm.id).filter((operation) => mayRead(principal, operation));
    sendJson(response, 200, `{"operations":[${own.map(renderOperation).join(',')}]}`);
  }

  @Get(':operation')
  one(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') id: string,
    @Param('operation') operationId: string,
  ): void {
    onlyParameters(request.gateway.query, []);
    const { principal } = request.gateway;
    const vm = this.directory.require(principal, id);
    const operation = this.operations.get(vm.id, operationId);
    if (operation === undefined || !mayRead(principal, operation))
      throw new Problem('operation-not-found', 'There is no such operation, or it is kept no longer.', { vm: vm.id });
    sendJson(response, 200, renderOperation(operation));
  }
}

function mayRead(principal: Principal, operation: Operation): boolean {
  return operation.principalId === principal.id || principal.reaches('host');
}
