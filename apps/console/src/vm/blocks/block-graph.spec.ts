import { describe, expect, it } from 'vitest';
import { blockGraph, treeRows, type NamedNode } from './block-graph.js';

const format = (name: string, backing?: string): NamedNode => ({
  ...{ 'node-name': name, drv: 'qcow2', file: `/images/${name}`, ro: backing !== undefined },
  ...(backing === undefined ? {} : { backing_file: `/images/${backing}` }),
});
const file = (name: string): NamedNode => ({
  'node-name': `${name}-file`,
  drv: 'file',
  file: `/images/${name}`,
  ro: true,
});
const diskPath = '/machine/peripheral/disk0/virtio-backend';
const edgesOf = (graph: ReturnType<typeof blockGraph>) =>
  graph.edges.map(({ from, to, role }) => `${from} ${role} ${to}`);

describe('blockGraph', () => {
  it('takes the edges of the VM itself, users and jobs included', () => {
    const graph = blockGraph({
      nodes: [format('top'), file('top')],
      drives: [{ device: '', qdev: diskPath, inserted: { 'node-name': 'top' } }, { device: 'cd0' }],
      jobs: [{ type: 'mirror', device: 'copy0', status: 'running', len: 100, offset: 2n ** 63n }],
      graph: {
        nodes: [
          { id: 1, type: 'block-backend', name: diskPath },
          { id: 2n, type: 'block-driver', name: 'top' },
          { id: 3, type: 'block-driver', name: 'top-file' },
          { id: 4, type: 'block-job', name: 'copy0' },
          { id: 5, type: 'block-backend', name: '' },
          { id: 6, type: 'block-backend', name: '' },
          { id: 7, type: 'block-driver', name: '#hidden' },
        ],
        edges: [
          { parent: 1, child: 2, name: 'root' },
          { parent: 2n, child: 3, name: 'file' },
          { parent: 4, child: 2, name: 'main node' },
          { parent: 5, child: 7, name: 'root' },
          { parent: 5, child: 99, name: 'root' },
        ],
      },
    });
    expect(graph.isGuessed).toBe(false);
    expect(edgesOf(graph)).toEqual([
      `user:${diskPath} root node:top`,
      'node:top file node:top-file',
      'job:copy0 main node node:top',
      'user:#5 root node:#hidden',
    ]);
    expect(graph.nodes.map(({ id }) => id)).toEqual([
      ...['node:top', 'node:top-file', 'job:copy0', `user:${diskPath}`, 'user:cd0', 'user:#5', 'node:#hidden'],
    ]);
    expect(graph.nodes.find(({ kind }) => kind === 'user')?.name).toBe('disk0');
    expect(graph.nodes.find(({ kind }) => kind === 'job')?.job?.done).toBe(2n ** 63n);
  });

  it('takes the children that a newer VM lists', () => {
    const children = [{ child: 'file', 'node-name': 'top-file' }];
    const graph = blockGraph({
      nodes: [
        { ...format('top'), children },
        { ...file('top'), children: [] },
      ],
      drives: [],
      jobs: [],
    });
    expect([graph.isGuessed, edgesOf(graph)]).toEqual([false, ['node:top file node:top-file']]);
  });

  it('else guesses from file names, and says so', () => {
    const nodes = [format('top', 'base'), file('top'), format('base'), file('base')];
    const graph = blockGraph({ nodes, drives: [], jobs: [] });
    expect(graph.isGuessed).toBe(true);
    expect(edgesOf(graph)).toEqual([
      'node:top file node:top-file',
      'node:top backing node:base',
      'node:base file node:base-file',
    ]);
  });
});

describe('treeRows', () => {
  const lines = (graph: ReturnType<typeof blockGraph>) =>
    treeRows(graph).map(({ level, role, node, isRepeated }) =>
      [level, role, node.name, ...(isRepeated ? ['again'] : [])].join(' '),
    );

  it('shows a backing chain of 40 below its drive', () => {
    const nodes = Array.from({ length: 40 }, (_, at) => format(`n${at}`, at < 39 ? `n${at + 1}` : undefined));
    const drives = [{ device: 'd0', inserted: { 'node-name': 'n0' } }];
    const rows = treeRows(blockGraph({ nodes, drives, jobs: [] }));
    expect([rows.length, rows.at(-1)?.level, rows.at(-1)?.node.name]).toEqual([41, 41, 'n39']);
  });

  it('shows what two use below both, and a circle once', () => {
    const children = (...names: string[]) => names.map((name) => ({ child: 'file', 'node-name': name }));
    const nodes = [
      { ...format('a'), children: children('c') },
      { ...format('b'), children: children('c') },
      { ...format('c'), children: children('d') },
      { ...format('d'), children: [] },
      { ...format('x'), children: children('y') },
      { ...format('y'), children: children('x') },
    ];
    expect(lines(blockGraph({ nodes, drives: [], jobs: [] }))).toEqual([
      ...['1  a', '2 file c', '3 file d', '1  b', '2 file c again', '1  x', '2 file y', '3 file x again'],
    ]);
  });
});
