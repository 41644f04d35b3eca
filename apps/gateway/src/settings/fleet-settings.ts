import type { CommandClass } from '@qmp-gateway/catalog';
import { fleetNamePattern, nodeNamePattern } from '@qmp-gateway/fleet-protocol';
import { group, object } from './object-type.js';
import { Setting } from './setting.js';
import { boolean, list, string, wholeNumber } from './setting-type.js';
import { duration, level, path, size, text } from './value-types.js';

/** Who this node is for the NATS server: one of them. */
export class FleetCredentials {
  @Setting({ what: 'File of a JWT with its seed (`.creds`).', is: path() })
  readonly creds?: string;

  @Setting({ what: 'File of an nkey seed.', is: path() })
  readonly nkey?: string;

  @Setting({ what: 'Name of a user; needs `passwordFile`.', is: text() })
  readonly user?: string;

  @Setting({ what: 'File that holds the password of `user`.', is: path() })
  readonly passwordFile?: string;
}

/** TLS towards NATS. Files are PEM. */
export class FleetTls {
  @Setting({ what: 'Authorities that sign certificates of the servers.', is: path() })
  readonly ca?: string;

  @Setting({ what: 'Certificate of this node.', is: path() })
  readonly cert?: string;

  @Setting({ what: 'Its key.', is: path() })
  readonly key?: string;
}

/** How events go to the fleet, and how much it keeps of them. */
export class FleetEventSettings {
  @Setting({ what: 'Copies of each event among the NATS servers.', is: wholeNumber(1, 5), default: 1 })
  readonly replicas!: number;

  @Setting({ what: 'How much the fleet keeps.', is: size(), default: '4GiB' })
  readonly maxBytes!: number;

  @Setting({ what: 'For how long.', is: duration(), default: '1d' })
  readonly maxAge!: number;

  @Setting({
    what: 'Events of one VM a second; others go to the streams of this node only.',
    is: wholeNumber(1, 1_000_000),
    default: 2000,
  })
  readonly perVmRate!: number;

  @Setting({ what: 'What waits here while NATS is away.', is: size(), default: '64MiB' })
  readonly buffer!: number;
}

const server = string({
  called: 'URL',
  must: 'must be a URL such as nats://n1:4222 or tls://n1:4222',
  pattern: /^(?:nats|tls):\/\/[^\s/@]+$/,
});

/** Several gateways as one, over NATS. */
export class FleetSettings {
  @Setting({
    what: 'Name of the fleet: lower-case letters, digits and `-`, at most 32 of them.',
    is: string({
      called: 'name',
      must: 'must be lower-case letters, digits and -, at most 32',
      pattern: fleetNamePattern,
    }),
    required: true,
    example: 'prod',
    flag: { spelling: '--fleet-name <name>', what: 'name of the fleet that this gateway joins' },
    restart: true,
  })
  readonly name!: string;

  @Setting({
    what: 'Name of this node, one of its own in the fleet: letters, digits and `. _ -`.',
    is: string({
      called: 'name',
      must: 'must be letters, digits and . _ -, at most 128 of them, the first a letter or digit',
      pattern: nodeNamePattern,
    }),
    defaultText: "the host's name",
    example: 'host-17',
    flag: { spelling: '--fleet-node <name>', what: 'name of this node in the fleet' },
    restart: true,
  })
  readonly node?: string;

  @Setting({
    what: 'NATS servers, with JetStream. Plain `nats://` to other hosts needs `insecure`.',
    is: list(server, 'URLs', 1),
    required: true,
    example: '["tls://n1:4222", "tls://n2:4222"]',
    flag: {
      spelling: '--fleet-server <url>',
      what: 'a NATS server, e.g. tls://n1:4222',
      repeatable: true,
      variable: 'QMPGW_FLEET_SERVERS',
    },
    restart: true,
  })
  readonly servers!: readonly string[];

  @Setting({
    what: 'Who this node is for NATS: `creds`, `nkey`, or `user` with `passwordFile`.',
    is: object(FleetCredentials),
    example: '{creds: /etc/qmp-gateway/host-17.creds}',
    restart: true,
  })
  readonly credentials?: FleetCredentials;

  @Setting({
    what: 'Files for TLS towards NATS, where the system does not know the authority or NATS asks for certificates.',
    is: object(FleetTls),
    example: '{ca: /etc/qmp-gateway/nats-ca.pem}',
    restart: true,
  })
  readonly tls?: FleetTls;

  @Setting({
    what: 'Permits plain `nats://` to other hosts.',
    is: boolean(),
    default: false,
    example: 'true',
    restart: true,
  })
  readonly insecure!: boolean;

  @Setting({
    what: '`true`: an entry, which keeps the directory and the events of all nodes. `false`: only its own VMs, for the entries.',
    is: boolean(),
    default: true,
    example: 'false',
    restart: true,
  })
  readonly serve!: boolean;

  @Setting({
    what: 'What commands that come by other nodes may reach here at most.',
    is: level(),
    default: 'host',
    example: 'operate',
    restart: true,
  })
  readonly maxLevel!: CommandClass;

  @Setting({
    what: 'Events in the fleet.',
    is: object(FleetEventSettings),
    default: {},
    example: '{replicas: 3, maxBytes: 4GiB, maxAge: 1d, perVmRate: 2000, buffer: 64MiB}',
    restart: true,
  })
  readonly events!: FleetEventSettings;

  @Setting({ what: 'How often a node is heard.', is: duration(), default: '5s', example: '5s', restart: true })
  readonly heartbeat!: number;

  @Setting({
    what: 'The VMs of a node that was not heard for so long are `unreachable`.',
    is: duration(),
    default: '15s',
    example: '15s',
    restart: true,
  })
  readonly unreachableAfter!: number;

  @Setting({
    what: '`true`: the gateway makes the stream and the buckets where they are missing. `false`: they must be there.',
    is: boolean(),
    default: true,
    example: 'false',
    restart: true,
  })
  readonly manage!: boolean;
}

export const fleetType = group(FleetSettings);
