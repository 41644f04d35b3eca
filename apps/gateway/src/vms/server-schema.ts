import {
  describesMoreThanItHas,
  kindsSpeaking,
  machineKindOf,
  serverKinds,
  type MachineKind,
} from '@qmp-gateway/catalog';
import { IntrospectionSizeError } from '@qmp-gateway/qapi';
import {
  asObjects,
  asText,
  cutText,
  isDefinitionName,
  parsedJson,
  PreparationError,
  serverBounds,
  type Greeting,
  type Monitor,
  type SessionInfo,
} from '@qmp-gateway/qmp';
import type { SchemaBuilder, SchemaStore } from '../schemas/schema-store.js';
import type { SchemaOrigin, VmSchema } from '../schemas/vm-schema.js';
import type { VmKind } from '../settings/vm-definition.js';
import { isTooLong, queryDeadlineMs, queryIfAnswered, valueOf } from './own-queries.js';

/** A server that is asked what commands it has. */
export interface UnknownServer {
  readonly vm: SchemaOwner;
  readonly session: SessionInfo;
  readonly greeting: Greeting;
  readonly schemas: SchemaStore;
}

/** The VM that the schema is learnt for. */
export interface SchemaOwner extends SchemaBuilder {
  readonly monitor: Monitor;
  readonly definition: { readonly kind: VmKind };
  /** It said more of something than is taken. */
  anomaly(kind: 'odd-definitions', detail: string): void;
}

/**
 * Learns of which kind and release a server is and which commands it has, in the way of the kinds that speak as it does.
 *
 * @throws PreparationError `schema-too-large`: a part of it would be another server than there is.
 */
export async function learnSchema(server: UnknownServer): Promise<VmSchema> {
  const { session, vm } = server;
  const [likely] = kindsSpeaking(session.dialect);
  if (likely === undefined) throw new Error(`no kind of VM speaks the dialect ${session.dialect}`);
  const kindBy = (has: (command: string) => boolean) =>
    machineKindOf(session.dialect, vm.definition.kind, has) ?? likely;
  return serverKinds[likely].introspection.by === 'query-qmp-schema'
    ? introspect(server, kindBy)
    : list(server, kindBy);
}

type KindBy = (has: (command: string) => boolean) => MachineKind;

async function introspect(server: UnknownServer, kindBy: KindBy): Promise<VmSchema> {
  const { vm, schemas } = server;
  const introspection = await querySchema(vm.monitor, 'query-qmp-schema', serverBounds.introspection.most);
  const origin = originOf(
    server,
    kindBy((command) => introspection.includes(`"${command}"`)),
  );
  const listed = describesMoreThanItHas(origin.kind, origin.version) ? await listedCommands(vm.monitor) : undefined;
  try {
    return await schemas.fromIntrospection(origin, introspection, vm, listed);
  } catch (error) {
    if (error instanceof IntrospectionSizeError) throw new PreparationError('schema-too-large', error.message);
    throw error;
  }
}

async function list(server: UnknownServer, kindBy: KindBy): Promise<VmSchema> {
  const names = await commandNames(server);
  const origin = originOf(
    server,
    kindBy((command) => names.includes(command)),
  );
  return server.schemas.fromCommandList(origin, names, server.vm);
}

function originOf({ greeting }: UnknownServer, kind: MachineKind): SchemaOrigin {
  const { major, minor, micro } = greeting.version;
  const { releaseAfter } = serverKinds[kind];
  const version =
    releaseAfter === null
      ? `${String(major)}.${String(minor)}.${String(micro)}`
      : cutText(withoutStart(greeting.package, releaseAfter), serverBounds.version.most);
  return { kind, version, package: greeting.package };
}

function withoutStart(text: string, start: string): string {
  return text.startsWith(start) ? text.slice(start.length) : text;
}

/** Undefined where the answer can't be a list of commands: one that lacks what was just answered. */
async function listedCommands(monitor: Monitor): Promise<string[] | undefined> {
  const answer = await queryIfAnswered((...question) => monitor.run(...question), 'query-commands');
  const commands = answer === undefined ? undefined : asObjects(parsedJson(answer));
  const names = commands?.flatMap(({ name }) => asText(name) ?? []);
  return names?.includes('query-qmp-schema') === true ? names : undefined;
}

async function commandNames({ vm }: UnknownServer): Promise<string[]> {
  const commands = asObjects(parsedJson(await querySchema(vm.monitor, 'query-commands')));
  if (commands === undefined) throw new Error('query-commands: not a list');
  if (commands.length > serverBounds.commands.most)
    throw new PreparationError('schema-too-large', `query-commands: over ${serverBounds.commands.most} commands`);
  const names = commands.flatMap(({ name }) => asText(name) ?? []);
  const taken = names.filter(isDefinitionName);
  if (taken.length < names.length)
    vm.anomaly('odd-definitions', `${names.length - taken.length} names of commands, left out`);
  return taken;
}

/** @throws PreparationError for an answer that is too long. */
async function querySchema(monitor: Monitor, command: string, answerBytes?: number): Promise<Buffer> {
  const bound = answerBytes === undefined ? {} : { answerBytes };
  const outcome = await monitor.run(command, undefined, { deadlineMs: queryDeadlineMs, ...bound });
  if (isTooLong(outcome)) throw new PreparationError('schema-too-large', `${command}: ${outcome.cause}`);
  return valueOf(command, outcome);
}
