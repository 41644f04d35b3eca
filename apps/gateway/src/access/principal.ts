import type { CommandClass } from '@qmp-gateway/catalog';
import { matchesAnyGlob } from './glob.js';

/** `read` < `operate` < `configure` < `host`. */
export type Level = CommandClass;

const rank: Readonly<Record<Level, number>> = { read: 0, operate: 1, configure: 2, host: 3 };
export const levels = Object.keys(rank) as readonly Level[];

/** True when a principal of level `have` may do what needs level `need`. */
export function reaches(have: Level, need: Level): boolean {
  return rank[have] >= rank[need];
}

/** What a VM shows to access decisions. */
export interface VmIdentity {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Names of commands, or globs of them; what is denied is denied whatever is allowed. */
export interface CommandGlobs {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** What a principal was granted. Globs know only `*`; `vms` entries are id globs or `label:key=glob`. */
export interface Grant {
  readonly level: Level;
  readonly vms: readonly string[];
  readonly commands?: CommandGlobs;
  /** Endpoints this principal may register VMs at, besides what level `host` may. */
  readonly endpoints?: readonly string[];
  /**
   * The operator's globs that `endpoints` are part of. Fixed text in a glob that somebody else made, for a token of his
   * own, is no word of the operator's: it may name a link.
   */
  readonly operatorEndpoints?: readonly string[];
}

/** Who asks. Immutable: a token that is revoked or expires is told by `stillValid`. */
export class Principal {
  /** True when the principal's scope is every VM there is or will be. */
  readonly seesAll: boolean;

  constructor(
    /** Stable and unique: scopes idempotency keys, queue fairness and operations. Never secret. */
    readonly id: string,
    readonly name: string,
    readonly grant: Grant,
    /** Checked again while a stream is open. */
    readonly stillValid: () => boolean = () => true,
    /** When the credentials end by themselves, milliseconds since 1970; they may be revoked before. */
    readonly expires: number = Infinity,
  ) {
    this.seesAll = grant.vms.includes('*');
  }

  get level(): Level {
    return this.grant.level;
  }

  reaches(need: Level): boolean {
    return reaches(this.grant.level, need);
  }

  /** What lies outside answers 404 and is absent from lists, streams, fan-out and history. */
  sees(vm: VmIdentity): boolean {
    if (this.seesAll) return true;
    return this.grant.vms.some((pattern) => {
      if (!pattern.startsWith('label:')) return matchesAnyGlob([pattern], vm.id);
      const equals = pattern.indexOf('=');
      const value = vm.labels[pattern.slice('label:'.length, equals)];
      return equals > 0 && value !== undefined && matchesAnyGlob([pattern.slice(equals + 1)], value);
    });
  }
}
