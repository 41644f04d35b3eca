import { syncAnswer, type FakeAnswer, type FakeCommand, type FakeMonitor, type Scene } from '@qmp-gateway/test-kit';
import { fakeMachine } from '../fake-machine.js';
import { socketOf } from '../agent-scene.js';

/** Answers the commands of clients as long as it is set; null: none comes. */
type Script = (command: FakeCommand) => FakeAnswer;

/** A VM whose monitor and guest agent do as the test says. */
export interface ScriptedVm {
  readonly monitor: FakeMonitor;
  readonly agent: FakeMonitor;
  readonly endpoint: string;
  readonly agentEndpoint: string;
  /** From now on: each command of a client is answered so. Without a script, as a VM that is well would. */
  follow(script: Script | undefined): void;
}

const command = (name: string, argType = 'empty') => ({
  name,
  'meta-type': 'command',
  'arg-type': argType,
  'ret-type': 'any',
});
const argumentsOf = (name: string, required: readonly string[], optional: readonly string[] = []) => ({
  name,
  'meta-type': 'object',
  members: [
    ...required.map((each) => ({ name: each, type: 'any' })),
    ...optional.map((each) => ({ name: each, type: 'any', default: null })),
  ],
});
const introspection = JSON.stringify([
  { name: 'any', 'meta-type': 'builtin', 'json-type': 'value' },
  ...[argumentsOf('empty', []), argumentsOf('by-path', ['path']), argumentsOf('by-id', ['id'])],
  argumentsOf('by-fdname', ['fdname']),
  ...[argumentsOf('get', ['path', 'property']), argumentsOf('set', ['path', 'property', 'value'])],
  ...[argumentsOf('keys', ['keys'], ['hold-time']), argumentsOf('dump', ['filename'], ['device', 'head', 'format'])],
  argumentsOf('stream', ['device'], ['job-id']),
  ...['query-status', 'query-name', 'query-qmp-schema', 'query-jobs', 'query-block-jobs', 'stop', 'cont'].map((name) =>
    command(name),
  ),
  command('query-vnc-servers'),
  command('query-fdsets'),
  ...[
    command('qom-list', 'by-path'),
    command('qom-get', 'get'),
    command('qom-set', 'set'),
    command('getfd', 'by-fdname'),
  ],
  ...[command('send-key', 'keys'), command('screendump', 'dump'), command('job-cancel', 'by-id')],
  command('block-stream', 'stream'),
]);

/** What a VM says that is well; those that are not here are never scripted. */
const answers: Readonly<Record<string, unknown>> = {
  'qom-list': [{ name: 'type', type: 'string' }],
  'qom-get': 'container',
  'qom-set': {},
  'send-key': {},
  'query-fdsets': [],
  getfd: {},
  screendump: {},
  'job-cancel': {},
  'block-stream': {},
  stop: {},
};
const agentAnswers: Readonly<Record<string, unknown>> = {
  'guest-ping': {},
  'guest-exec': { pid: 7 },
  'guest-exec-status': { exited: true, exitcode: 0, 'out-data': 'aGk=' },
  'guest-file-open': 1,
  'guest-file-read': { count: 2, 'buf-b64': 'aGk=', eof: true },
  'guest-file-write': { count: 2, eof: false },
  'guest-file-flush': {},
  'guest-file-seek': { position: 0, eof: false },
  'guest-file-close': {},
};

export async function scriptedVm(scene: Scene): Promise<ScriptedVm> {
  let script: Script | undefined;
  const answering = (name: string, value: unknown) => (received: FakeCommand) =>
    script === undefined ? { return: value } : script({ ...received, name });
  const machine = await fakeMachine(scene);
  machine.fake.on('query-qmp-schema', () => ({ json: introspection }));
  // Any socket of the same user is one that a display could have.
  const address = { family: 'unix', host: '', service: socketOf(machine.fake), websocket: false, auth: 'none' };
  const display = { id: 'default', auth: 'none', clients: [], server: [address] };
  machine.fake.on('query-vnc-servers', answering('query-vnc-servers', [display]));
  for (const [name, value] of Object.entries(answers)) machine.fake.on(name, answering(name, value));
  const agent = await scene.fake({ connected: () => undefined });
  const offered = ['guest-info', ...Object.keys(agentAnswers)].map((name) => ({
    ...{ enabled: true, name, 'success-response': true },
  }));
  agent
    .on('guest-sync-delimited', syncAnswer)
    .on('guest-info', () => ({ return: { version: '10.2.2', supported_commands: offered } }));
  for (const [name, value] of Object.entries(agentAnswers)) agent.on(name, answering(name, value));
  return {
    monitor: machine.fake,
    agent,
    endpoint: machine.endpoint,
    agentEndpoint: `unix:${socketOf(agent)}`,
    follow: (next) => (script = next),
  };
}

/** Breaks the connection in place of an answer. */
export const breakOff: Script = ({ connection }) => {
  connection.socket.destroy();
  return null;
};
export const silence: Script = () => null;
export const failing =
  (errorClass: string): Script =>
  () => ({ error: { class: errorClass, desc: 'no' } });
