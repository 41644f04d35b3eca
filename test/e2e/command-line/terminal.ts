import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Scene } from '@qmp-gateway/test-kit';
import { clientLauncher, type ClientHome } from './client-process.js';

const run = promisify(execFile);
const session = 'test';

export interface TerminalSize {
  readonly columns?: number;
  readonly rows?: number;
}

/** A real terminal of its own, in a tmux server of its own: keys go in, and its screen can be looked at. */
export class Terminal {
  private constructor(private readonly socket: string) {}

  /** One in which `qmpctl` is what the page says it is, at a prompt `$ `. */
  static async open(scene: Scene, home: ClientHome, { columns = 80, rows = 24 }: TerminalSize = {}): Promise<Terminal> {
    const terminal = new Terminal(path.join(scene.directory(), 'tmux'));
    const env = { ...home.env, PS1: '$ ', TERM: 'xterm-256color', HISTFILE: '/dev/null' };
    const shell = ['bash', '--norc', '--noprofile', '-i'];
    const settings = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    await run('tmux', [
      ...['-f', '/dev/null', '-S', terminal.socket, 'new-session', '-d', '-s', session],
      ...['-x', String(columns), '-y', String(rows), '-c', home.directory, ...settings, '--', ...shell],
    ]);
    scene.keep(terminal, () => terminal.end());
    await terminal.enter(`qmpctl() { '${process.execPath}' '${clientLauncher}' "$@"; }; clear`);
    return terminal;
  }

  /** Types a text and Enter. */
  async enter(text: string): Promise<void> {
    await this.type(text);
    await this.press('Enter');
  }

  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-t', session, '-l', '--', text);
  }

  /** Keys by tmux's names: `C-]`, `Tab`, `Enter`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', '-t', session, ...keys);
  }

  /** What is on the screen, without spaces at the end of lines. */
  async screen(): Promise<string> {
    return (await this.#tmux('capture-pane', '-t', session, '-p')).replaceAll(/[ \t]+$/gm, '').trimEnd();
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-t', session, '-x', String(columns), '-y', String(rows));
  }

  async end(): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined);
  }

  async #tmux(...words: readonly string[]): Promise<string> {
    return (await run('tmux', ['-S', this.socket, ...words])).stdout;
  }
}
