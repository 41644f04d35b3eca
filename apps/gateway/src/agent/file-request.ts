import { requireReadable } from '../commands/readable-text.js';
import { flag, text } from '../http/resource/field-type.js';
import { Optional, Required } from '../http/resource/shape.js';

const longestPath = 4096;
const sha256Pattern = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/;

/** Query of `GET /v1/vms/{vm}/agent/files`. */
export class FileToRead {
  @Required(
    text({
      ...{ minLength: 1, maxLength: longestPath, pattern: /^[^\0]*$/ },
      takes: `one path of 1 to ${longestPath} characters, none of them NUL`,
    }),
    'Of the file, as the guest has it',
  )
  path!: string;

  /** @throws Problem `malformed-json` for a character that no guest agent reads */
  guestPath(): string {
    requireReadable('parameter "path"', this.path);
    return this.path;
  }
}

/** Query of `PUT /v1/vms/{vm}/agent/files`. */
export class FileToWrite extends FileToRead {
  @Optional(flag({ default: true }), 'Read the file back and compare. Switch it off for pipes and devices')
  verify: boolean | undefined = undefined;
}

/** Headers of `PUT /v1/vms/{vm}/agent/files`. */
export class FileDigest {
  @Optional(
    text({ pattern: sha256Pattern, takes: 'a digest of RFC 9530 by SHA-256, sha-256=:…:' }),
    'RFC 9530, `sha-256=:…:`: what must have arrived',
  )
  'Content-Digest': string | undefined = undefined;

  /** The digest by SHA-256 alone; others are not asked for and not looked at. */
  get sha256(): string | undefined {
    const digest = sha256Pattern.exec(this['Content-Digest'] ?? '')?.[1];
    return digest === undefined ? undefined : `sha-256=:${digest}:`;
  }
}
