import { Controller, Delete, Get, HttpCode, Inject, Param } from '@nestjs/common';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { Caller } from '../access/caller.js';
import { JsonAnswer } from '../http/json-answer.js';
import { json, Resource, Tag } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { FleetNodes } from './fleet-nodes.js';
import { NodeListShape, nodeNameType } from './node-shapes.js';

/** `/v1/nodes`: the gateways of a fleet, as this one knows them. */
@Tag('nodes', 'The gateways of a fleet')
@Controller('v1/nodes')
export class NodesController {
  constructor(@Inject(FleetNodes) private readonly nodes: FleetNodes) {}

  @Get()
  @Resource({
    id: 'listNodes',
    summary: 'The nodes of the fleet as this one knows them, this one first',
    description: 'Without `fleet` in the settings, and with `fleet.serve: false`, this node alone.',
    needs: 'level `read`',
    answers: {
      200: json(
        'From memory: no node is asked',
        shape(() => NodeListShape),
      ),
    },
  })
  list(@Caller() { principal }: AuthenticatedContext): JsonAnswer {
    return JsonAnswer.of({ nodes: this.nodes.list(principal) } satisfies NodeListShape);
  }

  @Delete(':node')
  @HttpCode(204)
  @Resource({
    id: 'deleteNode',
    summary: 'Forget a node that is not heard, with its VMs',
    description:
      'For a node that is gone for good without a goodbye. One that is only cut off is there again when it is back.',
    needs: 'level `host`',
    path: { node: { type: nodeNameType, what: 'Name of the node' } },
    answers: { 204: { what: 'Forgotten, by all nodes' } },
    problems: ['route-not-found', 'node-reachable', 'fleet-unavailable', 'audit-unavailable'],
  })
  async delete(@Caller() caller: AuthenticatedContext, @Param('node') node: string): Promise<void> {
    await this.nodes.remove(caller, node);
  }
}
