import type { Greeting } from '../greeting.js';
import type { Dialect } from './dialect.js';
import { guestAgent } from './guest-agent.js';
import { qemu } from './qemu.js';
import { stratovirt } from './stratovirt.js';

/** All dialects by their names; the first is that of servers that greet like none of the others. */
const table = [qemu, stratovirt, guestAgent] as const satisfies readonly Dialect[];

/** How a peer speaks. */
export type DialectName = (typeof table)[number]['name'];

/** One of the table. */
export type KnownDialect = Dialect & { readonly name: DialectName };

const byName = new Map<string, KnownDialect>(table.map((dialect) => [dialect.name, dialect]));

/** @param name `auto`: the one to begin with, until the greeting decides */
export function dialectNamed(name: DialectName | 'auto'): KnownDialect {
  return byName.get(name) ?? table[0];
}

/** The dialect of a server that greets so; undefined for that of all others. */
export function dialectOf(greeting: Greeting): KnownDialect | undefined {
  return table.find((dialect: KnownDialect) => dialect.isSpokenBy(greeting));
}
