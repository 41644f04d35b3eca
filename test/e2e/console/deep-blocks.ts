const depth = 40;
const names = Array.from({ length: depth }, (_, at) => `layer${String(at).padStart(2, '0')}`);
const fileOf = (name: string): string =>
  `/var/lib/libvirt/images/customers/northwind/${name}-2026-11-30T03:00:00.qcow2`;

const node = (name: string, at: number) => ({
  ...{ 'node-name': name, drv: 'qcow2', file: fileOf(name), ro: at > 0, backing_file_depth: depth - at - 1 },
  image: { filename: fileOf(name), format: 'qcow2', 'virtual-size': 214748364800, 'actual-size': 65536 },
});

/** What a VM answers whose disk has a backing chain of 40 images, one of which is being copied. */
export const deepBlocks: Readonly<Record<string, unknown>> = {
  'query-named-block-nodes': [
    ...names.map(node),
    ...[{ 'node-name': 'target', drv: 'raw', file: '/mnt/backup/northwind.img', ro: false, backing_file_depth: 0 }],
  ],
  'query-block': [
    {
      ...{ device: '', qdev: '/machine/peripheral/virtio-disk-of-northwind-with-a-long-name/virtio-backend' },
      ...{ type: 'unknown', removable: false, locked: false, inserted: { 'node-name': 'layer00' } },
    },
  ],
  'query-block-jobs': [
    { type: 'mirror', device: 'copy0', status: 'running', len: 214748364800, offset: 80530636800, speed: 0 },
  ],
  'x-debug-query-block-graph': {
    nodes: [
      ...names.map((name, id) => ({ id, type: 'block-driver', name })),
      { id: 100, type: 'block-driver', name: 'target' },
      { id: 101, type: 'block-job', name: 'copy0' },
    ],
    edges: [
      ...names.slice(1).map((_, at) => ({ parent: at, child: at + 1, name: 'backing', perm: [], 'shared-perm': [] })),
      { parent: 101, child: 0, name: 'main node', perm: [], 'shared-perm': [] },
      { parent: 101, child: 100, name: 'target', perm: [], 'shared-perm': [] },
    ],
  },
};
