import { createParamDecorator, Inject, type PipeTransform, type Type } from '@nestjs/common';
import { controlReferences, postControls, resourceControls } from '@qmp-gateway/qapi-openapi';
import type { AuthenticatedContext, GatewayRequest } from '../access/authenticated-request.js';
import { declaring } from '../http/resource/resource.js';
import { VmDirectory } from '../vms/vm-directory.js';
import type { Vm } from '../vms/vm.js';
import { problemsOfCommands } from './command-problems.js';
import { readControls, type Controls } from './controls.js';

/** A request for a resource that is answered by commands of the VM its path names. */
export interface VmRequest {
  readonly caller: AuthenticatedContext;
  readonly vm: Vm;
  readonly controls: Controls;
}

interface UnreadVmRequest {
  readonly request: GatewayRequest & { readonly params: { readonly vm: string } };
  readonly controls: (request: GatewayRequest) => Controls;
}

class ReadVmRequest implements PipeTransform<UnreadVmRequest, VmRequest> {
  constructor(@Inject(VmDirectory) private readonly directory: VmDirectory) {}

  /** @throws Problem `vm-not-found`, or `invalid-request` for controls that cannot be read */
  transform({ request, controls }: UnreadVmRequest): VmRequest {
    const { gateway: caller, params } = request;
    return { caller, vm: this.directory.require(caller.principal, params.vm), controls: controls(request) };
  }
}

const unread = createParamDecorator((controls: UnreadVmRequest['controls'], context): UnreadVmRequest => ({
  request: context.switchToHttp().getRequest<UnreadVmRequest['request']>(),
  controls,
}));

/**
 * Who asks, the VM and the controls of a request that may take several commands. The deadline is one for all of them; but
 * of each for programs and files of a guest, which take as long as they take.
 * @param pipes make something else of it
 */
export function RequestForVm(...pipes: readonly Type<PipeTransform>[]): ParameterDecorator {
  const read = (request: GatewayRequest) => readControls(request, undefined);
  return declaring(unread(read, ReadVmRequest, ...pipes), {
    parameters: controlReferences(resourceControls),
    problems: problemsOfCommands,
  });
}

/** The same of a request that is answered by a single command, and ends with its reply. */
export function RequestForCommand(): ParameterDecorator {
  const read = (request: GatewayRequest) => readControls(request, request.gateway.query);
  return declaring(unread(read, ReadVmRequest), {
    parameters: controlReferences(postControls.filter((control) => control !== 'PreferHeader')),
    problems: problemsOfCommands,
    readsQuery: true,
  });
}
