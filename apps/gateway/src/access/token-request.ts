import 'reflect-metadata';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  Length,
  registerDecorator,
} from 'class-validator';
import { parseDuration } from '../settings/duration.js';
import { isVmPattern } from './grant.js';
import { levels, type CommandGlobs, type Level } from './principal.js';

/** Names and globs of one token, at most. */
const mostPatterns = 100;

/** Names and globs of commands, in QAPI's spelling; of endpoints, in QEMU's. */
const commandGlob = /^[A-Za-z0-9_.*-]{1,128}$/;
const endpointGlob = /^[\x21-\x7e]{1,512}$/;

function rule(name: string, holds: (value: unknown) => boolean, message: string): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: propertyName as string,
      validator: { validate: holds, defaultMessage: () => message },
    });
  };
}

function isListOf(value: unknown, holds: (entry: string) => boolean): boolean {
  return (
    Array.isArray(value) &&
    value.length <= mostPatterns &&
    value.every((entry) => typeof entry === 'string' && holds(entry))
  );
}

/** `{"allow": […], "deny": […]}`, either or both; an empty `allow` would be a token for nothing. */
function isCommandGlobs(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, list]) =>
      (name === 'allow' || name === 'deny') &&
      isListOf(list, (entry) => commandGlob.test(entry)) &&
      (list as unknown[]).length > 0,
  );
}

/** Body of `POST /v1/tokens`, and what the flags of `token create` say. */
export class TokenRequest {
  @IsString()
  @Length(1, 128)
  @IsOptional()
  name: string | undefined = undefined;

  @IsIn(levels)
  level: Level = '' as Level;

  /** Absent: the VMs of whoever makes it. */
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(mostPatterns)
  @rule(
    'vmPatternList',
    (list) => isListOf(list, isVmPattern),
    'vms holds VM ids, globs such as web-* or label:key=glob',
  )
  @IsOptional()
  vms: string[] | undefined = undefined;

  /** From now; absent: as long as its maker. */
  @rule(
    'tokenLife',
    (text) => typeof text === 'string' && (parseDuration(text) ?? 0) > 0,
    'expires is how long it lives, such as 12h or 30d; a year at most',
  )
  @IsOptional()
  expires: string | undefined = undefined;

  /** Absent: those of whoever makes it. What that one is denied is denied here too. */
  @rule('commandGlobs', isCommandGlobs, 'commands is {"allow": [globs], "deny": [globs]}, none of them empty')
  @IsOptional()
  commands: CommandGlobs | undefined = undefined;

  /** Where it may register VMs without level `host`; absent: nowhere. */
  @rule(
    'endpointGlobs',
    (list) => isListOf(list, (entry) => endpointGlob.test(entry)),
    'endpoints holds globs of endpoints such as unix:/run/qemu/*',
  )
  @IsOptional()
  endpoints: string[] | undefined = undefined;
}
