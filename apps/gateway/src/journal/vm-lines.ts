import { isKnownCommand } from '@qmp-gateway/catalog';
import { serverBounds, type LastError } from '@qmp-gateway/qmp';
import type { VmAgent } from '../vms/vm-agent.js';
import type { Vm } from '../vms/vm.js';
import type { JournalLine } from './journal.js';

const detailLength = serverBounds.detail.most;

/** There is no server at the endpoint, with or without its socket file. */
const absent: ReadonlySet<string | undefined> = new Set(['no-such-file', 'refused']);
/** Others have the monitor. */
const taken: ReadonlySet<string> = new Set(['no-greeting', 'backlog-full']);
/** There was a session until now. */
const present: ReadonlySet<string | undefined> = new Set(['ready', 'back', 'unresponsive', 'responsive']);

/**
 * What is to be said of the VM as it is.
 * @param last key of the line before; undefined when nothing was said yet
 * @param wasReady it, or a VM of this id, has been ready before
 * @returns undefined when that is no news
 */
export function vmLine(vm: Vm, last: string | undefined, wasReady: boolean): JournalLine | undefined {
  const line = vm.ready ? readyLine(vm, last, wasReady) : awayLine(vm, last);
  return line?.key === last ? undefined : line;
}

function awayLine(vm: Vm, last: string | undefined): JournalLine | undefined {
  const { state, lastError } = vm.monitor;
  if (state.name === 'idle' || state.name === 'stopped' || lastError === null) return undefined;
  if (state.name === 'closed')
    return lastErrorLine({ key: 'ended', level: 'info', message: 'vm ended' }, vm, lastError);
  const { code } = lastError;
  if (present.has(last))
    return lastErrorLine({ key: `lost:${code}`, level: 'warn', message: 'vm lost' }, vm, lastError);
  if (code === 'listening')
    return last === undefined
      ? lastErrorLine({ key: code, level: 'info', message: 'vm awaited' }, vm, lastError)
      : undefined;
  // It is dialled, and nothing new was found out.
  if (code === 'shutdown' || last === `lost:${code}`) return undefined;
  // That nobody is there is what follows an end or a loss, and no news; nor is it that the file is gone as well.
  const isToldAbsent = last === 'ended' || last?.startsWith('lost:') === true || absent.has(last?.split(':')[1]);
  if (absent.has(code) && isToldAbsent) return undefined;
  return taken.has(code)
    ? lastErrorLine({ key: `busy:${code}`, level: 'warn', message: 'vm busy' }, vm, lastError)
    : lastErrorLine({ key: `unreachable:${code}`, level: 'warn', message: 'vm unreachable' }, vm, lastError);
}

function readyLine(vm: Vm, last: string | undefined, wasReady: boolean): JournalLine | undefined {
  const { id, epoch, health } = vm;
  if (health === 'unresponsive')
    return { key: 'unresponsive', level: 'warn', message: 'vm unresponsive', fields: { vm: id, epoch } };
  if (last === 'unresponsive') return info('responsive', 'vm answers again', { vm: id, epoch });
  if (present.has(last)) return undefined;
  const { kind, version, source, definition } = vm;
  const fields = { vm: id, epoch, kind, version, source, endpoint: definition.endpoint, ...unknownCommands(vm) };
  return wasReady ? info('back', 'vm ready again', fields) : info('ready', 'vm ready', fields);
}

/** Those that no catalog knows: level `host` is needed for them. */
function unknownCommands({ schema }: Vm): object {
  if (schema === undefined) return {};
  const names = [...schema.commands.keys()].filter((name) => !isKnownCommand(schema.origin.kind, name));
  if (names.length === 0) return {};
  return { unknownCommands: names.slice(0, serverBounds.loggedNames.most), unknownCommandCount: names.length };
}

/** There was a session until now. */
export function isLoss({ key }: JournalLine): boolean {
  return key.startsWith('lost:');
}

export function removedLine({ id, source }: Vm): JournalLine {
  return { key: 'removed', level: 'info', message: 'vm removed', fields: { vm: id, source }, isLast: true };
}

/** What is to be said of a VM's guest agent; as {@link vmLine}. */
export function agentLine(agent: VmAgent, last: string | undefined): JournalLine | undefined {
  const found = agentLineOf(agent);
  return found?.key === last ? undefined : found;
}

function agentLineOf({ id: vm, state, endpoint, schema, lastError }: VmAgent): JournalLine | undefined {
  const code = lastError?.code;
  const fields = { vm, code, detail: lastError?.detail.slice(0, detailLength), endpoint };
  switch (state) {
    case 'ready':
      return info('ready', 'guest agent ready', { vm, version: schema?.origin.version, endpoint });
    case 'silent':
      return { ...info('silent', 'guest agent silent', { vm, endpoint }), level: 'warn' };
    case 'busy':
      return { ...info('busy', 'guest agent busy', fields), level: 'warn' };
    case 'waiting':
      // Discovery looks for the agents of all VMs, and many have none.
      return {
        ...info(`unreachable:${code ?? ''}`, 'guest agent unreachable', fields),
        level: code === 'no-such-file' ? 'info' : 'warn',
      };
    case 'connecting':
      return undefined;
  }
}

function info(key: string, message: string, fields: JournalLine['fields']): JournalLine {
  return { key, level: 'info', message, fields };
}

function lastErrorLine(line: Omit<JournalLine, 'fields'>, vm: Vm, lastError: LastError): JournalLine {
  const { id, epoch, definition } = vm;
  const { code, detail } = lastError;
  const fields = { vm: id, code, detail: detail.slice(0, detailLength), ...(epoch === null ? {} : { epoch }) };
  return { ...line, fields: { ...fields, endpoint: definition.endpoint } };
}
