import type { PipeTransform } from '@nestjs/common';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { requireAgent } from '../commands/command-path.js';
import type { Controls } from '../commands/controls.js';
import { RequestForVm, type VmRequest } from '../commands/vm-request.js';
import { declaring } from '../http/resource/resource.js';
import type { VmAgent } from '../vms/vm-agent.js';
import { VmOfPath } from '../vms/vm-of-path.js';
import type { Vm } from '../vms/vm.js';

/** A request for a resource that is answered by commands of a VM's guest agent. */
export interface AgentRequest {
  readonly caller: AuthenticatedContext;
  /** Its id is that of its VM. */
  readonly agent: VmAgent;
  readonly controls: Controls;
}

class RegisteredAgent implements PipeTransform<Vm, VmAgent> {
  /** @throws Problem `route-not-found` */
  transform(vm: Vm): VmAgent {
    return requireAgent(vm);
  }
}

class OfRegisteredAgent implements PipeTransform<VmRequest, AgentRequest> {
  /** @throws Problem `route-not-found` */
  transform({ caller, vm, controls }: VmRequest): AgentRequest {
    return { caller, agent: requireAgent(vm), controls };
  }
}

/** The guest agent of the VM that the path's `:vm` names: 404 where none is registered. */
export function AgentOfPath(): ParameterDecorator {
  return declaring(VmOfPath(RegisteredAgent), { problems: ['route-not-found'] });
}

/** Who asks, the guest agent and the controls of a request that takes several commands. */
export function RequestForAgent(): ParameterDecorator {
  return declaring(RequestForVm(OfRegisteredAgent), { problems: ['route-not-found'] });
}
