import { closed, oneOfTexts, scalars, type ArgumentShape } from './argument-shape.js';

/** Network back-ends that do not reach the host. Without `restrict`, `user` opens host sockets for the guest. */
export const closedNetdev: ArgumentShape = {
  anyOf: [
    closed({ type: oneOfTexts('hubport'), ...scalars('id', 'hubid', 'netdev') }, 'type'),
    closed(
      {
        type: oneOfTexts('user'),
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
 * Objects that exist only inside QEMU. Excluded: everything with a file, directory, socket or device of the host, and
 * `qtest`, `thread-context`, `main-loop`, which control the process itself.
 */
export const internalObject: ArgumentShape = {
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
        'qom-type': oneOfTexts('throttle-group'),
        limits: closed(scalars(...throttleLimits)),
        ...scalars('id', ...throttleLimits.map((limit) => `x-${limit}`)),
      },
      'qom-type',
    ),
  ],
};

function objectOf(types: readonly string[], ...properties: string[]): ArgumentShape {
  const list: ArgumentShape = { anyOf: ['scalar', { listOf: 'scalar' }] };
  return closed(
    {
      'qom-type': oneOfTexts(...types),
      ...scalars('id', ...properties),
      ...(types.includes('memory-backend-ram') ? { 'host-nodes': list } : {}),
    },
    'qom-type',
  );
}

/** Character devices that use nothing of the host. `logfile`, which every back-end accepts, is excluded. */
export const internalCharacterDevice: ArgumentShape = closed(
  {
    id: 'string',
    backend: {
      anyOf: [
        closed({ type: oneOfTexts('null', 'msmouse', 'wctablet'), data: closed({}) }, 'type'),
        closed({ type: oneOfTexts('ringbuf', 'memory'), data: closed(scalars('size')) }, 'type'),
        closed({ type: oneOfTexts('mux'), data: closed(scalars('chardev')) }, 'type'),
        closed({ type: oneOfTexts('hub'), data: closed({ chardevs: { listOf: 'scalar' } }) }, 'type'),
        closed({ type: oneOfTexts('vc'), data: closed(scalars('width', 'height', 'cols', 'rows')) }, 'type'),
        closed({ type: oneOfTexts('spicevmc'), data: closed(scalars('type')) }, 'type'),
        closed({ type: oneOfTexts('spiceport'), data: closed(scalars('fqdn')) }, 'type'),
        closed({ type: oneOfTexts('qemu-vdagent'), data: closed(scalars('mouse', 'clipboard')) }, 'type'),
      ],
    },
  },
  'backend',
);

/** An open node (a string names a node, never a file), or one that opens nothing. */
const childNode: ArgumentShape = { anyOf: ['string', () => closedBlockNode] };

/**
 * Block nodes that open no file, device or connection. Formats whose images can name further files (`qcow2`, `vmdk`,
 * `qed` and others: backing and data files) are excluded, even over an open node.
 */
export const closedBlockNode: ArgumentShape = {
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

function nodeOf(drivers: readonly string[], options: Readonly<Record<string, ArgumentShape>>): ArgumentShape {
  return closed(
    {
      driver: oneOfTexts(...drivers),
      cache: closed(scalars('direct', 'no-flush')),
      ...scalars('node-name', 'discard', 'read-only', 'auto-read-only', 'force-share', 'detect-zeroes', 'active'),
      ...options,
    },
    'driver',
  );
}
