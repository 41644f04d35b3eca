import { expect, it } from 'vitest';
import { pciRows, type PciDevice } from './pci-rows.js';

const device = (slot: bigint, rest: Partial<PciDevice> = {}): PciDevice => ({
  ...{ bus: 0n, slot, function: 0n, qdev_id: '', class_info: { class: 0x106n } },
  ...{ id: { vendor: 0x8086n, device: 0x2922n }, ...rest },
});

it('lists devices as lspci does, those behind a bridge below it', () => {
  const behind = device(1n, { bus: 1n, qdev_id: 'net0', irq: 11n, class_info: { class: 512n, desc: 'Ethernet' } });
  const rows = pciRows([{ bus: 0n, devices: [device(31n, { pci_bridge: { devices: [behind] } })] }]);
  expect(rows).toEqual([
    { address: '00:1f.0', depth: 0, what: 'class 0106', ids: '8086:2922', id: '', irq: '' },
    { address: '01:01.0', depth: 1, what: 'Ethernet', ids: '8086:2922', id: 'net0', irq: '11' },
  ]);
});
