import { isVmPattern } from '../../settings/vm-pattern.js';
import { parseDuration } from '../../settings/duration.js';
import { checked, duration, list, moment, nullable, text } from '../../http/resource/field-type.js';
import { Optional, Required, Shape, shape } from '../../http/resource/shape.js';
import { levelType } from '../level-type.js';
import type { Level } from '../principal.js';

/** Names and globs of one token, at most. */
const mostPatterns = 100;

/** Names and globs of commands, in QAPI's spelling; of endpoints, in QEMU's. */
const commandGlob = text({ pattern: /^[A-Za-z0-9_.*-]{1,128}$/, takes: 'a command name or a glob such as query-*' });
const endpointGlob = text({ pattern: /^[\x21-\x7e]{1,512}$/, takes: 'an endpoint or a glob such as unix:/run/qemu/*' });
const vmPattern = checked<string>(
  { type: 'string' },
  'a VM id, a glob such as web-* or label:key=glob',
  (value) => typeof value === 'string' && isVmPattern(value),
);

/** An empty `allow` would be a token for nothing. */
class CommandGlobsShape {
  @Optional(list(commandGlob, { least: 1, most: mostPatterns }))
  allow?: readonly string[];

  @Optional(list(commandGlob, { least: 1, most: mostPatterns }))
  deny?: readonly string[];
}

/** Body of `POST /v1/tokens`, and what the flags of `token create` say. */
@Shape('TokenRequest', { closed: true })
export class TokenRequest {
  @Optional(text({ minLength: 1, maxLength: 128 }))
  name: string | undefined = undefined;

  @Required(levelType)
  level!: Level;

  @Optional(
    list(vmPattern, { least: 1, most: mostPatterns }),
    "Ids, globs or `label:key=glob`; the maker's when absent",
  )
  vms: readonly string[] | undefined = undefined;

  @Optional(duration({ most: '366d', positive: true }), 'How long it lives; as long as its maker when absent')
  expires: string | undefined = undefined;

  @Optional(
    shape(() => CommandGlobsShape),
    'Names of commands or globs; within what the maker may run, and never what the maker may not',
  )
  commands: CommandGlobsShape | undefined = undefined;

  @Optional(
    list(endpointGlob, { most: mostPatterns }),
    'Globs of endpoints at which it may register VMs without level `host`; none when absent',
  )
  endpoints: readonly string[] | undefined = undefined;

  /** How long it lives, milliseconds; undefined without a limit of its own. */
  lifeMs(): number | undefined {
    return this.expires === undefined ? undefined : parseDuration(this.expires);
  }
}

class TokenMembers {
  @Required(text())
  id!: string;

  @Required(levelType)
  level!: Level;

  @Required(list(text()))
  vms!: readonly string[];

  @Required(nullable(moment()), 'Null: it lives until it is revoked')
  expires!: string | null;

  @Required(text())
  name!: string;

  @Optional(shape(() => CommandGlobsShape))
  commands?: CommandGlobsShape;

  @Optional(list(text()))
  endpoints?: readonly string[];
}

@Shape('Token')
export class TokenShape extends TokenMembers {
  @Required(moment())
  created!: string;

  @Required(nullable(text()), 'The principal that made it; null for the command line and the first start')
  owner!: string | null;
}

@Shape('TokenList')
export class TokenListShape {
  @Required(list(shape(() => TokenShape)))
  tokens!: readonly TokenShape[];
}

@Shape('NewToken')
export class NewTokenShape extends TokenMembers {
  @Required(text(), 'Shown this once')
  token!: string;
}
