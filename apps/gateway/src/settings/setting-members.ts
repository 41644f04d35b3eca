import type { MemberDescriptions } from './setting.js';

// What the entries of lists and maps are made of. Their readers take these keys and no others.

export const listenerMembers = {
  unix: { what: 'Path of the socket.', type: 'path', required: true },
  mode: { what: 'Permission bits of the socket.', type: 'octal digits in quotes', default: '`"0600"`' },
  group: { what: 'Group of the socket.', type: 'name or number' },
  level: {
    what: 'What everyone who can open the socket may do, without credentials. Without it they are asked for like anywhere.',
    type: 'level',
  },
} as const satisfies MemberDescriptions;

export const certificateMembers = {
  subject: {
    what: 'The whole subject of the certificate, e.g. `CN=ops,O=Example`; the order is of no matter.',
    type: 'text',
    required: true,
  },
  level: { what: 'What its holder may do.', type: 'level', required: true },
  vms: { what: 'The VMs it reaches: ids, globs or `label:key=glob`.', type: 'list of texts', default: '`["*"]`' },
} as const satisfies MemberDescriptions;

export const vmMembers = {
  endpoint: {
    what: '`unix:/path`, `tcp:host:port`, `tls:host:port`; `listen:unix:/path` or `listen:tls:host:port` for a QEMU that dials in.',
    type: 'endpoint',
    required: true,
  },
  agent: { what: "The guest agent's socket.", type: 'endpoint' },
  kind: { what: '`auto`, `qemu`, `stratovirt` or `storage-daemon`.', type: 'text', default: '`auto`' },
  labels: { what: 'For selectors and for the scope of tokens; at most 64.', type: 'object of texts', default: 'none' },
  tls: {
    what: 'Files (PEM) `ca`, `cert` and `key`, and the `serverName` its certificate must carry (default: the host of the endpoint).',
    type: 'object',
  },
  insecure: { what: 'Allows plain tcp to another machine.', type: 'boolean', default: '`false`' },
  hostCommands: { what: '`false` refuses commands of class `host` for this VM.', type: 'boolean', default: '`true`' },
} as const satisfies MemberDescriptions;

export const discoveryMembers = {
  qmp: {
    what: 'Path of the QMP sockets with `{id}`. Other placeholders become labels; each stands for a part of one name. From the first placeholder on, links are not followed.',
    type: 'path',
    required: true,
  },
  agent: { what: "Path of the guest agents' sockets, with placeholders of `qmp`.", type: 'path' },
} as const satisfies MemberDescriptions;

export const monitorSocketMembers = {
  dir: {
    what: 'Directory of the sockets, made 0700 when it is not there; nobody else may write there.',
    type: 'path',
    required: true,
  },
  mode: { what: 'Permission bits of each socket.', type: 'octal digits in quotes', default: '`"0600"`' },
  level: { what: 'What whoever may open a socket may do with its VM.', type: 'level', default: '`operate`' },
} as const satisfies MemberDescriptions;
