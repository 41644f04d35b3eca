import { requireReadable } from '../commands/readable-text.js';
import { text, wholeNumber } from '../http/resource/field-type.js';
import { Optional } from '../http/resource/shape.js';
import type { Display } from './screenshots.js';

/** Query of `GET /v1/vms/{vm}/screen.png`. */
export class ScreenQuery {
  @Optional(text({ minLength: 1, maxLength: 200 }), 'Id of a display device; default the first display')
  device: string | undefined = undefined;

  @Optional(wholeNumber({ least: 0, most: 999_999_999 }), 'Head of a device with several; only with `device`')
  head: number | undefined = undefined;

  /** @throws Problem `malformed-json` for a character that no VM reads */
  display(): Display {
    const { device, head } = this;
    requireReadable('parameter "device"', device ?? '');
    return { ...(device === undefined ? {} : { device }), ...(head === undefined ? {} : { head }) };
  }
}
