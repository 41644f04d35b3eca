import type { BrowserMemory } from '../../app/browser-memory.js';

/** A command that was run from this browser. */
export interface PastCommand {
  /** RFC 3339. */
  readonly at: string;
  readonly vm: string;
  readonly command: string;
  /** Text of the arguments; absent where there were none, or where they may hold a secret. */
  readonly arguments?: string;
  readonly outcome: 'done' | 'refused' | 'not-sent' | 'unknown';
}

const memoryName = 'commands';
/** Commands that are kept; the oldest goes. */
const mostCommands = 100;
/** Characters of arguments that are kept. */
const longestArguments = 2_000;

/** Members with such names hold secrets, and these commands others. */
const secretMember = /"[^"]*(?:pass(?:word|wd|phrase)|secret|token|cookie|credential|key)[^"]*"\s*:/i;
const secretCommands: ReadonlySet<string> = new Set([
  ...['qom-set', 'human-monitor-command', 'send-key', 'input-send-event', 'ringbuf-write', 'object-add', 'change'],
]);

/** The commands run from this browser, the newest first. They are gone when somebody else signs in. */
export class CommandHistory {
  constructor(private readonly memory: Pick<BrowserMemory, 'read' | 'write'>) {}

  all(): readonly PastCommand[] {
    const kept = this.memory.read(memoryName);
    return Array.isArray(kept) ? kept.filter(isPastCommand) : [];
  }

  add(past: PastCommand): void {
    this.memory.write(memoryName, [withoutSecrets(past), ...this.all()].slice(0, mostCommands));
  }

  clear(): void {
    this.memory.write(memoryName, []);
  }
}

function withoutSecrets({ arguments: args, ...past }: PastCommand): PastCommand {
  const mayShow =
    args !== undefined &&
    args.length <= longestArguments &&
    !secretCommands.has(past.command) &&
    !secretMember.test(args);
  return mayShow ? { ...past, arguments: args } : past;
}

function isPastCommand(value: unknown): value is PastCommand {
  if (typeof value !== 'object' || value === null) return false;
  const { at, vm, command, arguments: args, outcome } = value as Record<string, unknown>;
  return (
    [at, vm, command, outcome].every((each) => typeof each === 'string') &&
    (args === undefined || typeof args === 'string')
  );
}
