import { nkeys } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';

type KeyPair = ReturnType<typeof nkeys.createUser>;

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const base64 = (content: string | Uint8Array) => Buffer.from(content).toString('base64url');
const unlimited = { subs: -1, data: -1, payload: -1 };

/** A signed claim, as NATS has it: a JWT with an nkey. */
function claim(issuer: KeyPair, subject: string, name: string, nats: object): string {
  const content = {
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name,
    sub: subject,
  };
  const signed = [
    { typ: 'JWT', alg: 'ed25519-nkey' },
    { ...content, nats: { ...nats, version: 2 } },
  ]
    .map((part) => base64(JSON.stringify(part)))
    .join('.');
  return `${signed}.${base64(issuer.sign(Buffer.from(signed)))}`;
}

/** An operator of NATS with one account, whose users have credentials files. */
export class NatsAccounts {
  readonly #account = nkeys.createAccount();
  /** For the configuration of a server. */
  readonly configuration: string;

  constructor() {
    const operator = nkeys.createOperator();
    const system = nkeys.createAccount();
    const limits = { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
    const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
    const accounts = [
      { keys: system, name: 'system', limits },
      { keys: this.#account, name: 'fleet', limits: { ...limits, ...storage } },
    ].map(({ keys, name, limits: granted }) => {
      const id = keys.getPublicKey();
      return `${id}: ${claim(operator, id, name, { type: 'account', limits: granted })}`;
    });
    const itself = operator.getPublicKey();
    const jwt = claim(operator, itself, 'test', { type: 'operator', system_account: system.getPublicKey() });
    this.configuration = `operator: ${jwt}\nresolver: MEMORY\nresolver_preload: {\n${accounts.join('\n')}\n}\n`;
  }

  /** The text of a credentials file. */
  credentials(
    name: string,
    { publish, subscribe }: { readonly publish: string[]; readonly subscribe: string[] },
  ): string {
    const user = nkeys.createUser();
    const permitted = { pub: { allow: publish }, sub: { allow: subscribe } };
    const jwt = claim(this.#account, user.getPublicKey(), name, { type: 'user', ...permitted, ...unlimited });
    return [
      `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n`,
      `-----BEGIN USER NKEY SEED-----\n${text(user.getSeed())}\n------END USER NKEY SEED------\n`,
    ].join('\n');
  }
}
