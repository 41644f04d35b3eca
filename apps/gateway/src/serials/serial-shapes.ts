import { checked, choice, flag, list, nullable, text, wholeNumber } from '../http/resource/field-type.js';
import { Optional, Required, Shape, shape } from '../http/resource/shape.js';
import { parseByteSize } from '../settings/byte-size.js';
import { keptBytes } from './serial-line.js';
import { positionPattern } from './serial-position.js';

/** A serial line of a VM. */
@Shape('Serial')
export class SerialShape {
  @Required(text(), 'Label of the character device')
  id!: string;

  @Required(choice(['socket', 'pty', 'ringbuf']), 'What is behind it in QEMU')
  kind!: 'socket' | 'pty' | 'ringbuf';

  @Required(text(), 'Path of the device in the object tree of the VM')
  qdev!: string;

  @Required(text(), 'Type of the device')
  device!: string;

  @Required(flag(), 'Whether it can be looked at now')
  available!: boolean;

  @Required(nullable(text()), 'Why it is not available')
  reason!: string | null;

  @Required(flag(), 'The gateway is attached to it now, and keeps what it says')
  attached!: boolean;

  @Required(wholeNumber(), 'Bytes that are kept')
  kept!: number;

  @Required(wholeNumber(), 'Open streams')
  readers!: number;

  @Required(nullable(text()), 'Name of whoever types; null while nobody does')
  typist!: string | null;
}

/** `GET /v1/vms/{vm}/serials`. */
@Shape('SerialList')
export class SerialListShape {
  @Required(list(shape(() => SerialShape)))
  serials!: readonly SerialShape[];

  @Required(nullable(text()), 'Why there is none')
  reason!: string | null;
}

const sizeType = checked<string>(
  { type: 'string', pattern: '^[0-9]{1,12}(KiB|MiB|GiB)?$', default: '256KiB' },
  'a number of bytes, or a size such as 64KiB',
  (value) => typeof value === 'string' && parseByteSize(bytesOf(value)) !== undefined,
);

function bytesOf(size: string): string | number {
  return /^\d+$/.test(size) ? Number(size) : size;
}

/** Query of `GET /v1/vms/{vm}/serials/{id}`. */
export class SerialTextQuery {
  @Optional(sizeType, 'The newest bytes, at most so many')
  bytes: string | undefined = undefined;

  most(): number {
    return parseByteSize(bytesOf(this.bytes ?? '')) ?? keptBytes;
  }
}

/** Query of the stream. */
export class SerialStreamQuery {
  @Optional(
    text({ pattern: positionPattern, takes: 'a position as the stream and `Serial-Position` tell it' }),
    'Go on after this position instead of sending all that is kept',
  )
  after: string | undefined = undefined;

  @Optional(flag({ default: false }), '`true`: look only')
  view: boolean | undefined = undefined;
}
