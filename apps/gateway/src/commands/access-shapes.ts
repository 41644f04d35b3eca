import { levelType } from '../access/level-type.js';
import type { Level } from '../access/principal.js';
import { anyObject, constant, either, flag, list, text } from '../http/resource/field-type.js';
import { Optional, Required, Shape, shape } from '../http/resource/shape.js';

/** Longer names are of no VM and of no command. */
const name = text({ minLength: 1, maxLength: 128 });

/** Query of `GET /v1/access`. */
export class AccessQuestion {
  @Optional(name, 'With `command`: whether it may be run on this VM')
  vm: string | undefined = undefined;

  @Optional(name, "A command's QAPI name")
  command: string | undefined = undefined;

  @Optional(flag({ default: false }), "The command is the guest agent's")
  agent: boolean | undefined = undefined;
}

/** Body of `POST /v1/access`. */
@Shape('AccessRequest', { closed: true })
export class AccessRequest {
  @Required(name)
  vm!: string;

  @Required(name, "A command's QAPI name")
  command!: string;

  @Optional(flag({ default: false }), "The command is the guest agent's")
  agent: boolean | undefined = undefined;

  @Optional(anyObject(), 'The `arguments` object of the command')
  arguments: Readonly<Record<string, unknown>> | undefined = undefined;
}

class GrantedCommands {
  @Required(list(text()))
  allow!: readonly string[];

  @Required(list(text()))
  deny!: readonly string[];
}

class ArgumentRule {
  @Required(levelType)
  class!: Level;

  @Required(text())
  rule!: string;

  @Required(text())
  reason!: string;
}

@Shape('Access')
export class AccessShape {
  @Required(text())
  principal!: string;

  @Required(levelType)
  level!: Level;

  @Required(list(text()), 'Ids as globs, or `label:key=glob`')
  vms!: readonly string[];

  @Required(shape(() => GrantedCommands))
  commands!: GrantedCommands;

  @Optional(
    either<boolean | 'by-arguments'>([flag(), constant('by-arguments')]),
    'With `vm` and `command`, as the members below. True or false: whatever the arguments are; of a POST: with these arguments',
  )
  allowed?: boolean | 'by-arguments';

  @Optional(levelType, 'Of the command without arguments; of a POST: with these arguments')
  class?: Level;

  @Optional(text())
  rule?: string;

  @Optional(text())
  reason?: string;

  @Optional(levelType, 'Of the command, whatever its arguments; not in the answer to a POST')
  lowestClass?: Level;

  @Optional(levelType)
  highestClass?: Level;

  @Optional(list(shape(() => ArgumentRule)), 'The rules about arguments, each with the class it comes to')
  argumentRules?: readonly ArgumentRule[];
}
