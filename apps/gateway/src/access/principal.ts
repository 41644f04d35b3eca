import type { CommandClass } from '@qmp-gateway/catalog';
import { matchesAnyGlob } from './glob.js';

/** `read` < `operate` < `configure` < `host`. */
export type Level = CommandClass;

const rank: Readonly<Record<Level, number>> = { read: 0, operate: 1, configure: 2, host: 3 };
export const levels = Object.keys(rank) as readonly Level[];

/** True if a principal of level `have` may do what needs level `need`. */
export function reaches(have: Level, need: Level): boolean {
  return rank[have] >= rank[need];
}

/** The part of a VM that access decisions use. */
export interface VmIdentity {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Names or globs of commands; `deny` takes precedence over `allow`. */
export interface CommandGlobs {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** What a principal may do. Globs have only `*`; `vms` entries are id globs or `label:key=glob`. */
export interface Grant {
  readonly level: Level;
  readonly vms: readonly string[];
  readonly commands?: CommandGlobs;
  /** Endpoints at which this principal may register VMs without level `host`. */
  readonly endpoints?: readonly string[];
  /**
   * The operator's globs that `endpoints` are part of. Fixed text in a glob that somebody else wrote, for a token of
   * their own, is not the operator's: it may name a link.
   */
  readonly operatorEndpoints?: readonly string[];
}

/** How long credentials remain valid. */
export interface CredentialLife {
  /** Asked again while a stream is open; always true by default. */
  readonly stillValid?: () => boolean;
  /** When the credentials end by themselves, milliseconds since 1970; they may be revoked before. Never by default. */
  readonly expires?: number;
}

const always = (): boolean => true;

/** Who sends a request. Immutable: `stillValid` says whether a token was revoked or has expired. */
export class Principal {
  /** True if the principal's scope is every VM, present and future. */
  readonly seesAll: boolean;
  readonly stillValid: () => boolean;
  readonly expires: number;

  constructor(
    /** Stable and unique: scopes idempotency keys, queue fairness and operations. Never secret. */
    readonly id: string,
    readonly name: string,
    readonly grant: Grant,
    { stillValid = always, expires = Infinity }: CredentialLife = {},
  ) {
    this.stillValid = stillValid;
    this.expires = expires;
    this.seesAll = grant.vms.includes('*');
  }

  get level(): Level {
    return this.grant.level;
  }

  reaches(need: Level): boolean {
    return reaches(this.grant.level, need);
  }

  /** VMs outside the scope get 404 and are absent from lists, streams, fan-outs and history. */
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
