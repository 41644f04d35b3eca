import { choice, flag, list, nullable, text, wholeNumber } from '../http/resource/field-type.js';
import { NotWith, Optional, Required, Shape, shape } from '../http/resource/shape.js';

/** A display of a VM, as clients see it. */
@Shape('Display')
export class DisplayShape {
  @Required(text(), 'As QEMU calls it: `default`, unless `-vnc …,id=` says otherwise')
  id!: string;

  @Required(choice(['vnc']))
  kind!: 'vnc';

  @Required(flag(), 'Whether it can be opened at `rfb` now')
  available!: boolean;

  @Required(nullable(text()), 'Why not')
  reason!: string | null;

  @Required(text(), "QEMU's own security: `none`, `vnc` (a password, which passes through), or another")
  auth!: string;

  @Required(wholeNumber(), 'Screens that one connection shows')
  heads!: number;

  @Required(wholeNumber(), 'Who has it open through this gateway')
  viewers!: number;

  @Required(nullable(text()), 'Who of them types')
  typist!: string | null;

  @Required(list(text()), 'What whoever starts the VM should change')
  warnings!: readonly string[];
}

@Shape('DisplayList')
export class DisplayListShape {
  @Required(list(shape(() => DisplayShape)))
  displays!: readonly DisplayShape[];

  @Required(nullable(text()), 'Why there are none, and what to start the VM with')
  reason!: string | null;
}

/** Query of `…/rfb`. */
export class RfbQuery {
  @NotWith('take')
  @Optional(flag(), 'Only look: keys, pointer and clipboard are dropped')
  view: boolean | undefined = undefined;

  @Optional(flag(), 'Type in place of whoever types now')
  take: boolean | undefined = undefined;
}

export const displayId = {
  type: text({ minLength: 1, maxLength: 128 }),
  what: 'Id of a display, as `displays` lists it',
} as const;
