import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Longer lines wrap in a terminal. */
export const widest = 120;

/** What came of a line that was pasted. */
export interface Pasted {
  readonly line: string;
  /** Of HTTP. */
  readonly status: string;
  readonly body: string;
}

/** A demo as a process. */
export class RunningDemo {
  /** Resolves with its status. */
  readonly ended: Promise<number | null>;
  readonly #lines: string[] = [];

  private constructor(private readonly child: ChildProcess) {
    this.ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  }

  /** One that has just begun. @param script below the root of the repository */
  static begin(script: string): RunningDemo {
    return new RunningDemo(spawn(process.execPath, [script], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] }));
  }

  /** One that has printed what there is to paste. @param script as of `begin` */
  static async start(script: string): Promise<RunningDemo> {
    const demo = RunningDemo.begin(script);
    for await (const line of createInterface({ input: demo.child.stdout as Readable })) {
      demo.#lines.push(line.trim());
      if (line.startsWith('Ctrl-C')) return demo;
    }
    throw new Error(`${script} ended: ${demo.#lines.join('\n')}`);
  }

  /** What it printed, without the spaces before each line. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get exports(): string[] {
    return this.lines.filter((line) => line.startsWith('export '));
  }

  get curls(): string[] {
    return this.lines.filter((line) => line.startsWith('curl '));
  }

  /** Its VMs, gateways and whatever else it started: those that run. */
  get started(): number[] {
    return descendants(this.child.pid ?? 0);
  }

  /** The directory that it keeps everything in. */
  get directory(): string {
    const lines = this.started.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1')).join('\n');
    return /path=(\S*)\/[\w-]+\.qmp/.exec(lines)?.[1] ?? '';
  }

  get clients(): string[] {
    return this.lines.filter((line) => line.startsWith('npx qmpctl '));
  }

  /** Runs a line of the command line, as `paste` those of curl. @returns its status, and what it printed */
  async call(line: string): Promise<{ readonly status: unknown; readonly printed: string }> {
    const child = spawn('bash', ['-c', `${this.exports.join('\n')}\n${line}`], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    return { status: status as unknown, printed };
  }

  /** Runs a line as somebody would paste it after the `export` lines; curl says the status at the end. A stream is left after a second. */
  async paste(line: string): Promise<Pasted> {
    const streaming = line.includes('text/event-stream');
    const curl = `${line} -w '\\n%{http_code}'${streaming ? ' --max-time 1' : ''}`;
    const child = spawn('bash', ['-c', `${this.exports.join('\n')}\n${curl}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = await text(child.stdout);
    const end = output.lastIndexOf('\n');
    return { line, status: output.slice(end + 1), body: output.slice(0, end) };
  }

  /** Ctrl-C. @returns its status, and what is left of what it started */
  async interrupt(): Promise<{ status: number | null; left: (number | string)[] }> {
    const { started, directory } = this;
    this.child.kill('SIGINT');
    const status = await this.ended;
    const left = started.filter((pid) => existsSync(`/proc/${pid}`));
    return { status, left: existsSync(directory) ? [...left, directory] : left };
  }

  async end(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
  }
}

/** The pids of processes started, directly or not, by this one. */
function descendants(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }];
      } catch {
        return []; // It ended meanwhile.
      }
    });
  const children = parents.filter(({ parent }) => parent === pid).map((entry) => entry.pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}
