import { nodeNamePattern } from '@qmp-gateway/fleet-protocol';
import { choice, list, moment, text, wholeNumber } from '../http/resource/field-type.js';
import { Required, Shape, shape } from '../http/resource/shape.js';

export const nodeNameType = text({ pattern: nodeNamePattern });

@Shape('Node')
export class NodeShape {
  @Required(text())
  node!: string;

  @Required(choice(['reachable', 'unreachable']), '`unreachable`: not heard for `fleet.unreachableAfter`')
  state!: 'reachable' | 'unreachable';

  @Required(moment(), 'When it was last heard')
  heard!: string;

  @Required(text(), 'New for each start of its gateway')
  run!: string;

  @Required(text(), 'Of its gateway')
  version!: string;

  @Required(list(wholeNumber()), 'Releases of the protocol of fleets that it understands; none without a fleet')
  speaks!: readonly number[];

  @Required(wholeNumber(), 'VMs at this node that the caller sees')
  vms!: number;
}

@Shape('NodeList')
export class NodeListShape {
  @Required(list(shape(() => NodeShape)))
  nodes!: readonly NodeShape[];
}
