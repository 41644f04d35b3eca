import { choice } from '../http/resource/field-type.js';
import { levels } from './principal.js';

/** A level of credentials, or the class of a command. */
export const levelType = choice(levels);
