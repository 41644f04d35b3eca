import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly ca: Certificate;
  /** For `localhost`, 127.0.0.1 and ::1. */
  readonly server: Certificate;
  readonly client: Certificate;
  /** A client certificate of an untrusted authority. */
  readonly stranger: Certificate;
}

type Role = 'ca' | 'server' | 'client';

interface Issued extends Certificate {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly keyId: Buffer;
}

/** A small authority for one test, valid for a day. X.509 v3 as in RFC 5280, EC P-256. */
export function makeCertificates(): Certificates {
  const ca = issue('qmp-gateway test authority', 'ca', null);
  const other = issue('another authority', 'ca', null);
  return {
    ca,
    server: issue('localhost', 'server', ca),
    client: issue('qmp-gateway', 'client', ca),
    stranger: issue('qmp-gateway', 'client', other),
  };
}

function issue(name: string, role: Role, issuer: Issued | null): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicDer = publicKey.export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha1').update(publicDer).digest();
  const algorithm = sequence(objectId('1.2.840.10045.4.3.2'));
  const now = Date.now();
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(0x01), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer?.name ?? name),
    sequence(utcTime(now - 3_600_000), utcTime(now + 86_400_000)),
    distinguishedName(name),
    publicDer,
    tagged(0xa3, sequence(...extensions(role, keyId, issuer?.keyId ?? keyId))),
  );
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey);
  const der = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.of(0), signature])));
  return {
    cert: pem('CERTIFICATE', der),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...{ name, privateKey, keyId },
  };
}

function extensions(role: Role, keyId: Buffer, issuerKeyId: Buffer): Buffer[] {
  const isCa = role === 'ca';
  const usage = isCa ? Buffer.of(1, 0x06) : Buffer.of(7, 0x80);
  const list = [
    extension('2.5.29.14', tagged(0x04, keyId)),
    extension('2.5.29.35', sequence(tagged(0x80, issuerKeyId))),
    extension('2.5.29.19', isCa ? sequence(tagged(0x01, Buffer.of(0xff))) : sequence(), true),
    extension('2.5.29.15', tagged(0x03, usage), true),
  ];
  if (isCa) return list;
  const purpose = role === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
  list.push(extension('2.5.29.37', sequence(objectId(purpose))));
  if (role === 'client') return list;
  const ipv6 = Buffer.alloc(16);
  ipv6[15] = 1;
  const names = [tagged(0x82, Buffer.from('localhost')), tagged(0x87, Buffer.of(127, 0, 0, 1)), tagged(0x87, ipv6)];
  return [...list, extension('2.5.29.17', sequence(...names))];
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(objectId(id), ...(critical ? [tagged(0x01, Buffer.of(0xff))] : []), tagged(0x04, value));
}

function distinguishedName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId('2.5.4.3'), tagged(0x0c, Buffer.from(name)))));
}

function utcTime(time: number): Buffer {
  const digits = new Date(time).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** DER: tag, length, contents. */
function tagged(tag: number, contents: Buffer): Buffer {
  const { length } = contents;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), contents]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), contents]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), contents]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
