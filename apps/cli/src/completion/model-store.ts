import type { VmClient } from '@qmp-gateway/client';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { ServerModel } from '../arguments/schema-model.js';

/** Files that are kept: builds of QEMU in use are few, and a file is half a megabyte. */
const keptFiles = 40;

/**
 * What the gateway said before, in files below `$XDG_CACHE_HOME`: completion asks at each Tab. A file that is missing,
 * unreadable or too old is asked for anew; none holds a secret.
 */
export class CacheDirectory {
  readonly #directory: string;

  constructor(environment: NodeJS.ProcessEnv) {
    const given = environment['XDG_CACHE_HOME'];
    const base = given !== undefined && path.isAbsolute(given) ? given : path.join(homedir(), '.cache');
    this.#directory = path.join(base, 'qmp-gateway', 'cli');
  }

  /** @param name of what it is, and of whose; any text @param longestMs since it was kept */
  read(name: string, longestMs: number): unknown {
    const file = this.#fileOf(name);
    try {
      if (Date.now() - statSync(file).mtimeMs > longestMs) return undefined;
      return JSON.parse(readFileSync(file, 'utf8')) as unknown;
    } catch {
      return undefined;
    }
  }

  keep(name: string, value: unknown): void {
    const file = this.#fileOf(name);
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.${process.pid}`, JSON.stringify(value), { mode: 0o600 });
      renameSync(`${file}.${process.pid}`, file);
      this.#removeOldest();
    } catch {
      // A cache that cannot be written makes the next question slower, nothing else.
    }
  }

  #fileOf(name: string): string {
    return path.join(this.#directory, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.json`);
  }

  #removeOldest(): void {
    const files = readdirSync(this.#directory).map((name) => path.join(this.#directory, name));
    if (files.length <= keptFiles) return;
    const byAge = files.map((file) => ({ file, time: statSync(file).mtimeMs })).sort((a, b) => a.time - b.time);
    for (const { file } of byAge.slice(0, files.length - keptFiles)) rmSync(file, { force: true });
  }
}

const day = 86_400_000;

/** The model of a VM; VMs of one build share it. @throws GatewayProblem if the VM was never connected */
export async function modelOf(vm: VmClient, environment: NodeJS.ProcessEnv): Promise<ServerModel> {
  const cache = new CacheDirectory(environment);
  const { schema } = await vm.get();
  const known = schema === null ? undefined : cache.read(`schema ${schema}`, day);
  if (known !== undefined) return known as ServerModel;
  const { commands, types, schema: hash } = await vm.schema();
  const model: ServerModel = { commands, types };
  cache.keep(`schema ${hash}`, model);
  return model;
}
