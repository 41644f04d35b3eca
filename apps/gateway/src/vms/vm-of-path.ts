import {
  createParamDecorator,
  Inject,
  type CanActivate,
  type ExecutionContext,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import type { GatewayRequest } from '../access/authenticated-request.js';
import { declaring } from '../http/resource/resource.js';
import { VmDirectory } from './vm-directory.js';
import type { Vm } from './vm.js';

type RequestOfVm = GatewayRequest & { readonly params: { readonly vm: string } };

/** Finds the VM that a path names, for callers that see it. */
class VisibleVm implements PipeTransform<RequestOfVm, Vm> {
  constructor(@Inject(VmDirectory) private readonly directory: VmDirectory) {}

  /** @throws Problem `vm-not-found` */
  transform({ params, gateway }: RequestOfVm): Vm {
    return this.directory.require(gateway.principal, params.vm);
  }
}

const request = createParamDecorator((_, context) => context.switchToHttp().getRequest<RequestOfVm>());

/**
 * The VM that the path's `:vm` names: 404 for callers that do not see it, as for everyone where there is none.
 * @param pipes make something else of it
 */
export function VmOfPath(...pipes: readonly Type<PipeTransform>[]): ParameterDecorator {
  return declaring(request(VisibleVm, ...pipes), { problems: ['vm-not-found'] });
}

/** For handlers that need nothing of the VM, only that the caller sees it. */
export class KnownVm implements CanActivate {
  constructor(@Inject(VmDirectory) private readonly directory: VmDirectory) {}

  /** @throws Problem `vm-not-found` */
  canActivate(context: ExecutionContext): true {
    const { gateway, params } = context.switchToHttp().getRequest<RequestOfVm>();
    this.directory.require(gateway.principal, params.vm);
    return true;
  }
}
