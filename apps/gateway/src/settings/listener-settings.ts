import { isRecord } from '@qmp-gateway/qapi';
import type { CommandClass } from '@qmp-gateway/catalog';
import { parseListenerAddress, type ListenerAddress } from './listener-address.js';
import { object } from './object-type.js';
import { Setting } from './setting.js';
import { converted, refuse, string, type SettingType } from './setting-type.js';
import { groupName, level, mode, socketPath } from './value-types.js';

/** An entry of `listen` for a unix socket. */
export class UnixListenerSettings {
  @Setting({ what: 'Path of the socket.', is: socketPath('must be the path of the socket'), required: true })
  readonly unix!: string;

  @Setting({ what: 'Permission bits of the socket.', is: mode(), defaultText: '`"0600"`' })
  readonly mode?: number;

  @Setting({ what: 'Group of the socket.', is: groupName() })
  readonly group?: string;

  @Setting({
    what: 'What anyone who can open the socket may do without credentials. Without it they need credentials, as everywhere.',
    is: level(),
  })
  readonly level?: CommandClass;
}

const address = string({
  called: 'address',
  must: 'must be host:port or unix:/path',
  pattern:
    /^(?:unix:\/|(?:\[[0-9A-Fa-f:.]+\]|[^:[\]\s]+):(?:\d{1,4}|[0-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$)/,
  faultsOf: (given) => [parseListenerAddress(given)].filter((parsed) => typeof parsed === 'string'),
});
const tcpOrUnix = converted(address, (given) => parseListenerAddress(given) as ListenerAddress);
const unixSocket = converted(object(UnixListenerSettings), ({ unix, ...rest }): ListenerAddress => ({
  kind: 'unix',
  path: unix,
  ...rest,
}));

/** An entry of `listen`. */
export const listenerType: SettingType<ListenerAddress> = {
  called: 'address',
  get schema() {
    return { anyOf: [tcpOrUnix.schema, unixSocket.schema] };
  },
  members: UnixListenerSettings,
  read(value) {
    if (typeof value === 'string') return tcpOrUnix.read(value);
    return isRecord(value) ? unixSocket.read(value) : refuse('must be host:port, unix:/path or {unix: /path}');
  },
};
