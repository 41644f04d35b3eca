import { Controller, createParamDecorator, Get, Inject } from '@nestjs/common';
import { JsonAnswer } from '../http/json-answer.js';
import type { FleetMember } from '../fleet/fleet-member.js';
import { FleetMemberToken } from '../fleet/fleet-dependencies.js';
import { choice, constant, list, text } from '../http/resource/field-type.js';
import { declaring, json, Resource, Tag } from '../http/resource/resource.js';
import { Optional, Required, Shape, shape } from '../http/resource/shape.js';
import type { ReceivedRequest } from '../http/request-context.js';
import { Problem } from '../problems/problem.js';
import { GatewayIdentity } from '../state/gateway-identity.js';

@Shape('ApiRoot')
class ApiRoot {
  @Required(text())
  name!: string;

  @Required(text())
  version!: string;

  @Required(text(), 'New for each start of the gateway')
  run!: string;

  @Required(list(text()))
  capabilities!: readonly string[];
}

class Health {
  @Required(constant('ok'))
  status!: 'ok';
}

const ok: Health = { status: 'ok' };
const healthy = json(
  'It does',
  shape(() => Health),
);

class Readiness {
  @Required(choice(['ok', 'degraded']), '`degraded`: the VMs of this node can be used, the fleet cannot')
  status!: 'ok' | 'degraded';

  @Optional(choice(['fleet-unavailable', 'fleet-misconfigured']), 'Code of the problem of the fleet')
  fleet?: 'fleet-unavailable' | 'fleet-misconfigured';
}

/**
 * `fleet=1` in the query: the fleet counts too. Whatever else is there is left alone, as load balancers add parameters of
 * their own.
 */
const WithFleet = declaring(
  createParamDecorator((_, context) => {
    const { query } = context.switchToHttp().getRequest<ReceivedRequest>().gateway;
    return new URLSearchParams(query).get('fleet') === '1';
  })(),
  {
    parameters: [
      {
        name: 'fleet',
        in: 'query',
        description: '`1`: 503 while this node is no part of its fleet',
        schema: { type: 'string' },
      },
    ],
    readsQuery: true,
  },
);

/** What load balancers, supervisors and the curious ask first; no VM's data is in it. */
@Tag('service', 'The gateway itself')
@Controller()
export class HealthController {
  constructor(
    @Inject(GatewayIdentity) private readonly identity: GatewayIdentity,
    @Inject(FleetMemberToken) private readonly member: FleetMember | null,
  ) {}

  @Get('v1')
  @Resource({
    id: 'getApiRoot',
    summary: 'Name, version and capabilities of this gateway',
    answers: {
      200: json(
        'The gateway',
        shape(() => ApiRoot),
      ),
    },
  })
  about(): JsonAnswer {
    const { name, version, run, capabilities } = this.identity;
    return JsonAnswer.of({ name, version, run, capabilities } satisfies ApiRoot);
  }

  /** The process runs. */
  @Get('livez')
  @Resource({
    id: 'getLiveness',
    answersWhileStopping: true,
    summary: 'The process runs; taken with any `Host`',
    answers: { 200: healthy },
  })
  live(): JsonAnswer {
    return JsonAnswer.of(ok);
  }

  /** Listeners are up and settings loaded, whatever the VMs do; 503 while stopping is answered before any route. */
  @Get('readyz')
  @Resource({
    id: 'getReadiness',
    summary: 'Requests are taken, whatever the VMs do; with any `Host`',
    description: 'A fleet that cannot be reached does not keep a gateway from serving its own VMs.',
    answers: {
      200: json(
        'They are',
        shape(() => Readiness),
      ),
    },
    problems: ['fleet-unavailable', 'fleet-misconfigured'],
  })
  ready(@WithFleet fleetCounts: boolean): JsonAnswer {
    const problem = this.member?.state.problem;
    if (problem === undefined) return JsonAnswer.of(ok satisfies Readiness);
    if (fleetCounts) throw new Problem(problem, 'This node is no part of its fleet now; its log says why.');
    return JsonAnswer.of({ status: 'degraded', fleet: problem } satisfies Readiness);
  }
}
