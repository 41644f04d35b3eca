import { closed, oneOf, scalars, type Shape } from './argument-shape.js';

/** Network back-ends that reach nothing of the host. Without `restrict`, `user` opens host sockets for the guest. */
export const closedNetdev: Shape = {
  anyOf: [
    closed({ type: oneOf('hubport'), ...scalars('id', 'hubid', 'netdev') }, 'type'),
    closed(
      {
        type: oneOf('user'),
        restrict: true,
        ...scalars('id', 'hostname', 'ipv4', 'ipv6', 'net', 'host', 'dns', 'domainname', 'dhcpstart'),
        ...scalars('ipv6-prefix', 'ipv6-prefixlen', 'ipv6-host', 'ipv6-dns'),
      },
      'type',
      'restrict',
    ),
  ],
};

const throttleLimits = ['bps', 'iops']
  .flatMap((unit) => [`${unit}-total`, `${unit}-read`, `${unit}-write`])
  .flatMap((rate) => [rate, `${rate}-max`, `${rate}-max-length`])
  .concat('iops-size');

/**
 * Objects that live inside QEMU. Not here: everything with a file, directory, socket or device of the host, and
 * `qtest`, `thread-context`, `main-loop`, which steer the process itself.
 */
export const internalObject: Shape = {
  anyOf: [
    objectOf(
      ['iothread'],
      'poll-max-ns',
      'poll-grow',
      'poll-shrink',
      'aio-max-batch',
      'thread-pool-min',
      'thread-pool-max',
    ),
    objectOf(
      ['memory-backend-ram', 'memory-backend-memfd'],
      ...['size', 'merge', 'dump', 'prealloc', 'prealloc-threads', 'share', 'reserve', 'policy'],
      ...['x-use-canonical-path-for-ramblock-id', 'hugetlb', 'hugetlbsize', 'seal'],
    ),
    // `data` is the secret itself; `file` would open any host file.
    objectOf(['secret'], 'data', 'format', 'keyid', 'iv'),
    objectOf(['rng-builtin', 'can-bus']),
    objectOf(['cryptodev-backend-builtin'], 'queues', 'throttle-bps', 'throttle-ops'),
    objectOf(['authz-simple'], 'identity'),
    objectOf(['filter-buffer'], 'netdev', 'queue', 'status', 'insert', 'position', 'interval'),
    objectOf(['filter-replay'], 'netdev', 'queue', 'status', 'insert', 'position'),
    objectOf(['filter-rewriter'], 'netdev', 'queue', 'status', 'insert', 'position', 'vnet_hdr_support'),
    closed(
      {
        'qom-type': oneOf('throttle-group'),
        limits: closed(scalars(...throttleLimits)),
        ...scalars('id', ...throttleLimits.map((limit) => `x-${limit}`)),
      },
      'qom-type',
    ),
  ],
};

function objectOf(types: readonly string[], ...properties: string[]): Shape {
  const list: Shape = { anyOf: ['scalar', { listOf: 'scalar' }] };
  return closed(
    {
      'qom-type': oneOf(...types),
      ...scalars('id', ...properties),
      ...(types.includes('memory-backend-ram') ? { 'host-nodes': list } : {}),
    },
    'qom-type',
  );
}

/** Character devices with nothing of the host behind them. `logfile`, which every back-end takes, is not among them. */
export const internalCharacterDevice: Shape = closed(
  {
    id: 'string',
    backend: {
      anyOf: [
        closed({ type: oneOf('null', 'msmouse', 'wctablet'), data: closed({}) }, 'type'),
        closed({ type: oneOf('ringbuf', 'memory'), data: closed(scalars('size')) }, 'type'),
        closed({ type: oneOf('mux'), data: closed(scalars('chardev')) }, 'type'),
        closed({ type: oneOf('hub'), data: closed({ chardevs: { listOf: 'scalar' } }) }, 'type'),
        closed({ type: oneOf('vc'), data: closed(scalars('width', 'height', 'cols', 'rows')) }, 'type'),
        closed({ type: oneOf('spicevmc'), data: closed(scalars('type')) }, 'type'),
        closed({ type: oneOf('spiceport'), data: closed(scalars('fqdn')) }, 'type'),
        closed({ type: oneOf('qemu-vdagent'), data: closed(scalars('mouse', 'clipboard')) }, 'type'),
      ],
    },
  },
  'backend',
);

/** A node already open (a string names a node, never a file), or one that opens nothing. */
const childNode: Shape = { anyOf: ['string', () => closedBlockNode] };

/**
 * Block nodes that open no file, device or connection. Formats whose images can name further files (`qcow2`, `vmdk`,
 * `qed` and others: backing and data files) are not among them, even over an open node.
 */
export const closedBlockNode: Shape = {
  anyOf: [
    nodeOf(['null-co', 'null-aio'], scalars('size', 'latency-ns', 'read-zeroes')),
    nodeOf(['raw'], { file: childNode, ...scalars('size', 'offset') }),
    nodeOf(['luks'], { file: childNode, header: childNode, ...scalars('key-secret') }),
    nodeOf(['throttle'], { file: childNode, ...scalars('throttle-group') }),
    nodeOf(['copy-on-read'], { file: childNode, ...scalars('bottom') }),
    nodeOf(['compress', 'snapshot-access'], { file: childNode }),
    nodeOf(['preallocate'], { file: childNode, ...scalars('prealloc-align', 'prealloc-size') }),
    nodeOf(['quorum'], {
      children: { listOf: childNode },
      ...scalars('blkverify', 'vote-threshold', 'rewrite-corrupted', 'read-pattern'),
    }),
    nodeOf(['copy-before-write'], {
      file: childNode,
      target: childNode,
      bitmap: closed(scalars('node', 'name')),
      ...scalars('on-cbw-error', 'cbw-timeout', 'min-cluster-size'),
    }),
  ],
};

function nodeOf(drivers: readonly string[], options: Readonly<Record<string, Shape>>): Shape {
  return closed(
    {
      driver: oneOf(...drivers),
      cache: closed(scalars('direct', 'no-flush')),
      ...scalars('node-name', 'discard', 'read-only', 'auto-read-only', 'force-share', 'detect-zeroes', 'active'),
      ...options,
    },
    'driver',
  );
}
