import { JsonText, readJson, type VmClient } from '@qmp-gateway/client';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { CommandContext } from '../command-context.js';
import { modelOf } from '../completion/model-store.js';
import { CliFault, exitStatus, usageFault } from '../exit-status.js';
import { readPair, type ArgumentPair } from './argument-pairs.js';
import { typedArguments, type OpenTypes, type TypedArguments } from './typed-arguments.js';
import type { UnlistedKeys } from '../failure.js';
import type { ServerModel } from './schema-model.js';

/** Arguments as they came: pairs that need a model, or JSON that needs none. */
export type GivenArguments = { readonly pairs: readonly ArgumentPair[] } | { readonly json: JsonText };

/** Arguments that can be sent. */
export type SentArguments = Readonly<Record<string, unknown>> | undefined;

/**
 * Reads `key=value` words, or `--json`: the text itself, `-` for stdin, `@FILE`.
 * @throws CliFault
 */
export async function givenArguments(
  context: CommandContext,
  words: readonly string[],
  json: string | undefined,
): Promise<GivenArguments> {
  if (json === undefined) return { pairs: words.map(readPair) };
  if (words.length > 0) throw usageFault('arguments come as key=value or by --json, not both');
  const written = json === '-' ? await text(context.stdin) : json.startsWith('@') ? readNamed(json.slice(1)) : json;
  let value: unknown;
  try {
    value = readJson(written);
  } catch (error) {
    throw usageFault(`--json: ${error instanceof Error ? error.message : 'no JSON'}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw usageFault('--json: the arguments of a command are an object');
  return { json: new JsonText(written.trim()) };
}

function readNamed(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageFault(`--json: ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? ''}`);
  }
}

/**
 * The arguments of a command for one VM, by its own model.
 * @throws CliFault for all that does not fit; GatewayProblem for a command that the VM does not have
 */
export async function argumentsFor(
  context: CommandContext,
  vm: VmClient,
  command: string,
  given: GivenArguments,
): Promise<SentArguments> {
  // It is written as it is.
  if ('json' in given) return given.json as unknown as SentArguments;
  if (given.pairs.length === 0) return undefined;
  const model = await modelOf(vm, context.environment);
  const typed = await typedFor(vm, model, command, given.pairs);
  context.failure.keys = typed.keys;
  context.failure.unlisted = typed.unlisted;
  if (typed.faults.length > 0) throw argumentFault(typed);
  return typed.value;
}

/** All faults in one line. */
export function argumentFault({ faults }: Pick<TypedArguments, 'faults'>): CliFault {
  return usageFault(faults.map(({ key, message }) => `${key}: ${message}`).join('; '));
}

/** Typed arguments, and what of them the VM itself does not list. */
export interface TypedForVm extends TypedArguments {
  readonly unlisted?: UnlistedKeys | undefined;
}

/** Types what was given for a command, and asks the VM for what no schema lists. */
export async function typedFor(
  vm: VmClient,
  model: ServerModel,
  command: string,
  pairs: readonly ArgumentPair[],
): Promise<TypedForVm> {
  const known = model.commands.find(({ name }) => name === command);
  if (known === undefined) {
    // The gateway knows the nearest names; a dry run sends nothing to the VM.
    await vm.execute(command, {}, { dryRun: true });
    throw new CliFault(exitStatus.notSent, `the model of ${vm.id} has no command ${command}`);
  }
  const typed = typedArguments(model, known, pairs);
  const driver = typed.value?.['driver'];
  const isDevice = command === 'device_add' && typeof driver === 'string' && typed.undeclared.length > 0;
  if (!isDevice) return typed;
  const properties = await propertyTypes(vm, driver);
  const keys = properties === undefined ? [] : typed.undeclared.filter((key) => !properties.has(key));
  return {
    ...typedArguments(model, known, pairs, properties),
    ...(keys.length > 0 ? { unlisted: { driver, keys } } : {}),
  };
}

const integerProperty = /^(?:u?int\d*|size\d*)$/;

/**
 * The types of a device's properties, as the VM itself lists them. What it cannot say is left to be a string, as on its
 * own command line; so is `addr`, in which `6` and `06` differ.
 * @returns undefined for a driver that the VM does not know
 */
async function propertyTypes(vm: VmClient, driver: string): Promise<OpenTypes | undefined> {
  try {
    const properties = await vm.query('device-list-properties', { typename: driver });
    const typeFor = (name: string, type: string): string => {
      if (type === 'bool') return 'bool';
      return name !== 'addr' && integerProperty.test(type) ? 'int' : 'str';
    };
    return new Map(properties.map(({ name, type }) => [name, typeFor(name, type)]));
  } catch {
    // A driver that is not there is for device_add to refuse.
    return undefined;
  }
}
