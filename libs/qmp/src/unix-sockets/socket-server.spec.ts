import { linkSync, lstatSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { fullBacklog, Scene } from '@qmp-gateway/test-kit';
import { listenOnSocketFile } from '@qmp-gateway/qmp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const scene = new Scene();
let file: string;

beforeEach(() => (file = path.join(scene.directory(), 'socket')));
afterEach(() => scene.end());

const server = (): Server => scene.keep(createServer(), (made) => made.close());

/** A socket file whose server is gone without unlinking it. */
async function abandoned(): Promise<void> {
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(`${file}-`, resolve));
  linkSync(`${file}-`, file);
  await new Promise((resolve) => gone.close(resolve));
}

describe('listening on a socket file', () => {
  it('takes the place of a socket nobody serves, and makes it ours alone', async () => {
    await abandoned();
    const made = server();
    await listenOnSocketFile(made, file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const client = connect(file);
    await once(client, 'connect');
    client.destroy();
  });

  it('gives it the mode that is asked for, and the group', async () => {
    const gid = statSync(path.dirname(file)).gid;
    await listenOnSocketFile(server(), file, { mode: 0o660, gid });
    expect(statSync(file)).toMatchObject({ gid });
    expect(statSync(file).mode & 0o777).toBe(0o660);
  });

  it('leaves one alone that is served, however busy its server is', async () => {
    scene.keep(await fullBacklog(file), (busy) => busy.stop());
    const { ino } = lstatSync(file);
    await expect(listenOnSocketFile(server(), file)).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `${file} is in use`,
    });
    expect(lstatSync(file).ino).toBe(ino);
  });

  it('leaves what is no socket alone', async () => {
    writeFileSync(file, 'a file');
    await expect(listenOnSocketFile(server(), file)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(file, 'utf8')).toBe('a file');
  });

  it('makes none that nobody wants any more', async () => {
    await abandoned();
    const made = server();
    await listenOnSocketFile(made, file, { isWanted: () => false });
    expect(made.listening).toBe(false);
  });
});
