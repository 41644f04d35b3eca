import type { AnyEvent, CommandOperation, GatewayEvent, Vm } from '@qmp-gateway/client';
import { compactJson } from '../output/json-text.js';
import { clockText } from '../output/quantities.js';
import type { Style } from '../output/style.js';
import { oneLine } from '../output/terminal-text.js';

/** An event in one line for people: when, where, what. @param vmWidth columns for the id; 0 leaves it out */
export function eventText(event: GatewayEvent, style: Style, vmWidth: number): string {
  const { time, vm, event: name, coalesced } = event as AnyEvent;
  const what = oneLine(dataText(event));
  const times = coalesced === undefined ? '' : ` (${coalesced} times)`;
  return [
    style('dim', clockText(time)),
    ...(vmWidth === 0 ? [] : [oneLine(vm ?? '-').padEnd(vmWidth)]),
    style(name === 'gap' ? 'red' : /^[a-z]/.test(name) ? 'cyan' : 'bold', oneLine(name)) + times,
    ...(what === '' ? [] : [what]),
  ].join('  ');
}

function dataText(event: GatewayEvent): string {
  if (event.event === 'gap') {
    const { missed, vm } = event.data;
    return `${missed === null ? 'events' : `${missed} events`}${vm === null ? '' : ` of ${vm}`} were missed`;
  }
  if (event.event === 'vm-changed') return vmText(event.data);
  if (event.event === 'operation') return operationText(event.data);
  const json = compactJson(event.data);
  return json === '{}' ? '' : json;
}

function vmText({ state, runState, health, lastError }: Vm): string {
  const why = state === 'ready' || lastError === null ? '' : ` (${lastError.detail ?? lastError.code})`;
  return [state, runState, health].filter((part) => part !== null && part !== 'ok').join(', ') + why;
}

function operationText({ id, command, state, progress, error, descriptors = [] }: CommandOperation): string {
  const done =
    progress === null || progress.total === 0 ? '' : ` ${Math.floor((100 * progress.current) / progress.total)} %`;
  const passed = descriptors.map((one) => `, ${one.use} ${one.state}`).join('');
  return `${command ?? 'job'} ${state}${done}${passed}${error === null ? '' : `: ${error.detail}`} (${id})`;
}
