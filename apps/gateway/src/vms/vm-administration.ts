import { linkFault } from '@qmp-gateway/qmp';
import type { AuditLog } from '../access/audit/audit-log.js';
import { matchesAnyGlob } from '../access/glob.js';
import type { Principal } from '../access/principal.js';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { invalid } from '../http/resource/read-shape.js';
import { Problem, type Fault } from '../problems/problem.js';
import type { OwnSockets } from '../settings/own-sockets.js';
import { readVmDefinition, vmIdPattern, type VmAnchors, type VmDefinition } from '../settings/vm-definition.js';
import type { VmRegistration } from './vm-shapes.js';
import { endpointAnchor } from './endpoint-anchor.js';
import type { Vm } from './vm.js';
import { vmNotFound, type VmRegistry } from './vm-registry.js';

const idRule = 'must be letters, digits and . _ -, at most 128 of them, the first a letter or digit';

/** Registering and forgetting VMs over the API: who may, and what a definition must be. */
export class VmAdministration {
  constructor(
    private readonly registry: VmRegistry,
    private readonly audit: AuditLog,
    private readonly ownSockets: OwnSockets,
  ) {}

  /**
   * @param createOnly an id that is taken is a problem
   * @throws Problem `invalid-request`, `forbidden`, `vm-exists`, `vm-managed`, `vm-not-found` (an id outside the
   *   principal's VMs), `audit-unavailable`
   */
  async put(
    caller: AuthenticatedContext,
    id: string,
    registration: VmRegistration,
    createOnly: boolean,
  ): Promise<{ vm: Vm; created: boolean }> {
    const { principal } = caller;
    if (!vmIdPattern.test(id)) throw invalid('path', [{ pointer: '/vm', message: idRule }]);
    const { value: definition, faults } = readVmDefinition(registration, ['endpoint', 'agent', 'kind', 'labels']);
    if (definition === undefined) throw invalid('body', faults.map(faultOf));
    requireMayAdminister(principal, definition, 'Registering');
    const admitted = withAnchors(principal, definition, this.ownSockets);
    // Before the id is looked up, so that the answer does not tell whether there is such a VM.
    if (!principal.sees({ id, labels: definition.labels }))
      throw new Problem('forbidden', 'The credentials do not reach VMs of this id and these labels (rule: vms).');
    const result = await this.registry.put(id, admitted, (present) => {
      if (present !== undefined) {
        requireSees(principal, present);
        requireMayAdminister(principal, present.definition, 'Replacing');
        if (createOnly) throw new Problem('vm-exists', `There is a VM ${id}.`, { vm: id });
      }
      this.audit.requireWritable();
    });
    this.audit.change(principal, caller, result.created ? 'vm-created' : 'vm-replaced', {
      vm: id,
      definition: admitted,
    });
    return result;
  }

  /** @throws Problem `forbidden`, `vm-managed`, `vm-not-found`, `audit-unavailable` */
  async delete(caller: AuthenticatedContext, id: string): Promise<void> {
    const { principal } = caller;
    await this.registry.delete(id, (present) => {
      requireSees(principal, present);
      requireMayAdminister(principal, present.definition, 'Forgetting');
      this.audit.requireWritable();
    });
    this.audit.change(principal, caller, 'vm-deleted', { vm: id });
  }
}

function requireSees(principal: Principal, vm: Vm): void {
  if (!principal.sees(vm)) throw vmNotFound(vm.id);
}

/**
 * Whoever names an endpoint makes the gateway open a socket of the host: level host, or configure within granted endpoints.
 * @param doing what is asked for, as a gerund
 */
function requireMayAdminister(principal: Principal, definition: VmDefinition, doing: string): void {
  if (principal.reaches('host')) return;
  const endpoints = [definition.endpoint, ...(definition.agent === undefined ? [] : [definition.agent])];
  const granted = principal.grant.endpoints ?? [];
  if (principal.reaches('configure') && endpoints.every((endpoint) => withinGlobs(granted, endpoint))) return;
  throw new Problem(
    'forbidden',
    `${doing} a VM needs level host, or level configure with endpoint globs that match (rule: endpoints); the credentials have level ${principal.level}.`,
  );
}

/**
 * The definition with what of its paths is the operator's own: no link below that is followed, now or at any dial, or a
 * name within the globs could mean a socket outside of them.
 */
function withAnchors(principal: Principal, definition: VmDefinition, ownSockets: OwnSockets): VmDefinition {
  if (principal.reaches('host')) return definition;
  const globs = principal.grant.operatorEndpoints ?? [];
  const endpoint = endpointAnchor(globs, definition.endpoint);
  const agent = definition.agent === undefined ? undefined : endpointAnchor(globs, definition.agent);
  for (const [key, anchored] of Object.entries({ endpoint, agent })) {
    const fault = anchored === undefined ? undefined : linkFault(anchored.path, anchored.anchor);
    if (fault !== undefined)
      throw new Problem('forbidden', `${key}: ${fault}, and may lead out of what was granted (rule: endpoints).`);
    // A shared monitor has a level of its own, and its VM maybe an owner of its own.
    if (anchored !== undefined && ownSockets.has(anchored.path))
      throw new Problem('forbidden', `${key}: that is a socket of the gateway itself (rule: endpoints).`);
  }
  if (endpoint === undefined && agent === undefined) return definition;
  const anchors: VmAnchors = {
    ...(endpoint === undefined ? {} : { endpoint: endpoint.anchor }),
    ...(agent === undefined ? {} : { agent: agent.anchor }),
  };
  return { ...definition, anchors };
}

/** A `..` or `//` in the path could leave the directory a glob means. */
function withinGlobs(globs: readonly string[], endpoint: string): boolean {
  return !/\/\.{0,2}\/|\/\.{1,2}$/.test(endpoint) && matchesAnyGlob(globs, endpoint);
}

/** `labels.tenant: what is wrong` as a pointer and its message. */
function faultOf(line: string): Fault {
  const [, path, message] = /^([\w./-]+): (.*)$/s.exec(line) ?? [];
  return message === undefined
    ? { pointer: '', message: line }
    : { pointer: `/${path?.replace('.', '/') ?? ''}`, message };
}
