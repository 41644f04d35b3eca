import { anything, choice, flag, list, mapOf, nullable, text, wholeNumber } from '../http/resource/field-type.js';
import { Optional, Required, Shape, shape } from '../http/resource/shape.js';
import { cuts, type Cut } from './qom-reader.js';

const whyNone = 'Why it has none';
const whyWithheld = 'Why it is not shown: a secret, and it needs level `host`';

class QomPropertyShape {
  @Required(text(), 'As the VM writes it')
  type!: string;

  @Optional(anything(), 'As the VM wrote it; absent where it was not asked for')
  value?: unknown;

  @Optional(text(), whyNone)
  error?: string;

  @Optional(text(), whyWithheld)
  withheld?: string;
}

class QomLinkShape {
  @Required(text(), 'As the VM writes it: `link<bus>`')
  type!: string;

  @Optional(anything(), 'Path of the object, as the VM wrote it; absent where it was not asked for')
  target?: unknown;

  @Optional(text(), whyNone)
  error?: string;

  @Optional(text(), whyWithheld)
  withheld?: string;
}

/** An object below the one that was asked for. */
@Shape('QomObject', { what: 'Without `children` it was named, and not looked into' })
export class QomObjectShape {
  @Required(nullable(text()), 'Null where the VM does not say')
  type!: string | null;

  @Optional(mapOf(shape(() => QomPropertyShape)))
  properties?: Readonly<Record<string, QomPropertyShape>>;

  @Optional(mapOf(shape(() => QomLinkShape)))
  links?: Readonly<Record<string, QomLinkShape>>;

  @Optional(mapOf(shape(() => QomObjectShape)))
  children?: Readonly<Record<string, QomObjectShape>>;

  @Optional(text(), 'Why it could not be looked into')
  error?: string;
}

/** What reading a tree came to: its members after those of the object. */
export interface QomTreeEnd {
  readonly matches?: readonly string[];
  readonly commands: number;
  readonly complete: boolean;
  readonly cut?: Cut;
}

/** The object that was asked for. */
@Shape('QomTree')
export class QomTreeShape extends QomObjectShape implements QomTreeEnd {
  @Required(text())
  path!: string;

  @Optional(list(text()), 'With a filter: paths of the objects and properties that fit')
  matches?: readonly string[];

  @Required(wholeNumber(), 'What it cost')
  commands!: number;

  @Required(flag())
  complete!: boolean;

  @Optional(choice(cuts), 'Why it is not complete')
  cut?: Cut;
}
