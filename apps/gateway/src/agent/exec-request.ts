import 'reflect-metadata';
import { ArrayMaxSize, IsArray, IsBase64, IsOptional, IsString, Length, registerDecorator } from 'class-validator';
import { Problem } from '../problems/problem.js';
import { parseDuration } from '../settings/duration.js';

/** Arguments, or variables, at most; what the command may weigh is bounded as for all commands. */
const mostStrings = 10_000;
const longestPath = 4096;
const defaultTimeoutMs = 10 * 60_000;
const longestTimeoutMs = 24 * 3_600_000;

function IsExecTimeout(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'execTimeout',
      target: target.constructor,
      propertyName: propertyName as string,
      validator: { validate: (text: unknown) => timeoutOf(text) !== undefined },
      options: { message: 'timeout is how long it is followed, such as 30s or 10m; 24h at most' },
    });
  };
}

/** Milliseconds; undefined for what is no such duration. */
function timeoutOf(wanted: unknown): number | undefined {
  const milliseconds = typeof wanted === 'string' ? parseDuration(wanted) : undefined;
  return milliseconds !== undefined && milliseconds > 0 && milliseconds <= longestTimeoutMs ? milliseconds : undefined;
}

/** Body of `POST /v1/vms/{vm}/agent/exec`. */
export class ExecRequest {
  @IsString()
  @Length(1, longestPath)
  path = '';

  @IsArray()
  @ArrayMaxSize(mostStrings)
  @IsString({ each: true })
  @IsOptional()
  arg: string[] | undefined = undefined;

  /** As `NAME=value`. */
  @IsArray()
  @ArrayMaxSize(mostStrings)
  @IsString({ each: true })
  @IsOptional()
  env: string[] | undefined = undefined;

  @IsString()
  @IsOptional()
  input: string | undefined = undefined;

  @IsBase64()
  @IsOptional()
  inputBase64: string | undefined = undefined;

  @IsExecTimeout()
  @IsOptional()
  timeout: string | undefined = undefined;
}

/** How long the program is followed, milliseconds. */
export function execTimeoutMs({ timeout }: ExecRequest): number {
  return timeoutOf(timeout) ?? defaultTimeoutMs;
}

/**
 * The arguments of `guest-exec`. Output is captured as agents of all releases do it.
 * @throws Problem `invalid-request` when the input is given twice
 */
export function execArguments({ path, arg, env, input, inputBase64 }: ExecRequest): object {
  if (input !== undefined && inputBase64 !== undefined) {
    const errors = [{ pointer: '/inputBase64', message: 'clashes with input' }];
    throw new Problem('invalid-request', 'The body cannot be read: /inputBase64 clashes with input.', { errors });
  }
  const data = input === undefined ? inputBase64 : Buffer.from(input).toString('base64');
  return {
    path,
    ...(arg === undefined ? {} : { arg }),
    ...(env === undefined ? {} : { env }),
    ...(data === undefined ? {} : { 'input-data': data }),
    'capture-output': true,
  };
}
