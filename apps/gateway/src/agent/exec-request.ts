import { base64, duration, list, text } from '../http/resource/field-type.js';
import { NotWith, Optional, Required, Shape } from '../http/resource/shape.js';
import { parseDuration } from '../settings/duration.js';

/** Arguments, or variables, at most; what the command may weigh is bounded as for all commands. */
const mostStrings = 10_000;
const longestPath = 4096;
const defaultTimeoutMs = 10 * 60_000;

/** Body of `POST /v1/vms/{vm}/agent/exec`. */
@Shape('ExecRequest', { closed: true })
export class ExecRequest {
  @Required(text({ minLength: 1, maxLength: longestPath }), 'Of the program in the guest')
  path!: string;

  @Optional(list(text(), { most: mostStrings }), 'Its arguments')
  arg?: readonly string[];

  @Optional(list(text(), { most: mostStrings }), 'Its environment, as `NAME=value`')
  env?: readonly string[];

  @Optional(text(), 'What it reads from its standard input')
  input?: string;

  @Optional(base64(), 'In place of `input`, where that is not text')
  @NotWith('input')
  inputBase64?: string;

  @Optional(
    duration({ most: '24h', positive: true }),
    'How long it is followed; it goes on after that. Default `10m`, at most `24h`',
  )
  timeout?: string;
}

/** How long the program is followed, milliseconds. */
export function execTimeoutMs({ timeout }: ExecRequest): number {
  return parseDuration(timeout ?? '') ?? defaultTimeoutMs;
}

/** The arguments of `guest-exec`. Output is captured as agents of all releases do it. */
export function execArguments({ path, arg, env, input, inputBase64 }: ExecRequest): object {
  const data = input === undefined ? inputBase64 : Buffer.from(input).toString('base64');
  return {
    path,
    ...(arg === undefined ? {} : { arg }),
    ...(env === undefined ? {} : { env }),
    ...(data === undefined ? {} : { 'input-data': data }),
    'capture-output': true,
  };
}
