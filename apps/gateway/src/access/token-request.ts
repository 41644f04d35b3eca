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
import { levels, type Level } from './principal.js';

/** Names and globs of one token, at most. */
const mostPatterns = 100;

function IsVmPatternList(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'vmPatternList',
      target: target.constructor,
      propertyName: propertyName as string,
      validator: {
        validate: (list: unknown) =>
          Array.isArray(list) && list.every((entry) => typeof entry === 'string' && isVmPattern(entry)),
        defaultMessage: () => 'vms holds VM ids, globs such as web-* or label:key=glob',
      },
    });
  };
}

function IsTokenLife(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'tokenLife',
      target: target.constructor,
      propertyName: propertyName as string,
      validator: {
        validate: (text: unknown) => typeof text === 'string' && (parseDuration(text) ?? 0) > 0,
        defaultMessage: () => 'expires is how long it lives, such as 12h or 30d; a year at most',
      },
    });
  };
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
  @IsVmPatternList()
  @IsOptional()
  vms: string[] | undefined = undefined;

  /** From now; absent: as long as its maker. */
  @IsTokenLife()
  @IsOptional()
  expires: string | undefined = undefined;
}
