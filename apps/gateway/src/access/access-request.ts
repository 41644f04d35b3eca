import 'reflect-metadata';
import { IsBoolean, IsObject, IsOptional, IsString, Length } from 'class-validator';

/** Longer names are of no VM and of no command. */
const longestName = 128;

/** Body of `POST /v1/access`. */
export class AccessRequest {
  @IsString()
  @Length(1, longestName)
  vm = '';

  @IsString()
  @Length(1, longestName)
  command = '';

  /** The command is the guest agent's. */
  @IsBoolean()
  agent = false;

  /** The `arguments` object of the command; none when absent. */
  @IsObject()
  @IsOptional()
  arguments: object | undefined = undefined;
}
