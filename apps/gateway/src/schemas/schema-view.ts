import { eventSummary } from '@qmp-gateway/catalog';
import { hasFeature, type Member, type QapiType } from '@qmp-gateway/qapi';
import type { VmSchema } from './vm-schema.js';

/** `GET /v1/vms/{vm}/schema`: commands, events and every type they reach, by name. Arrays are written `[element]`. */
export function renderSchema(schema: VmSchema): string {
  const types = new Map<string, object>();
  const reach = (type: QapiType): string => {
    if (type.kind === 'builtin') return type.name;
    if (type.kind === 'array') return `[${reach(type.element)}]`;
    if (!types.has(type.name)) {
      // The place is taken before its members are walked: types may contain themselves.
      types.set(type.name, {});
      types.set(type.name, describeType(type, reach));
    }
    return type.name;
  };
  const commands = [...schema.commands.values()].map(
    ({ name, definition, knowledge, class: commandClass, lowestClass, highestClass, deprecated }) => ({
      name,
      class: commandClass,
      lowestClass,
      highestClass,
      summary: definition.summary ?? knowledge.summary ?? null,
      deprecated,
      oob: definition.allowOob,
      arguments: reach(definition.arguments),
      returns: reach(definition.returns),
      ...(knowledge.offered === true ? {} : { offered: false, reason: knowledge.offered.reason }),
      ...(knowledge.openArguments ? { openArguments: true } : {}),
    }),
  );
  const events = [...schema.model.events.values()].map((event) => ({
    name: event.name,
    summary: event.summary ?? eventSummary(schema.origin.kind, event.name) ?? null,
    deprecated: hasFeature(event, 'deprecated'),
    data: reach(event.data),
  }));
  return JSON.stringify({ schema: schema.hash, commands, events, types: Object.fromEntries(types) });
}

type Reach = (type: QapiType) => string;

function describeType(type: Exclude<QapiType, { kind: 'builtin' | 'array' }>, reach: Reach): object {
  switch (type.kind) {
    case 'enum':
      return { kind: 'enum', values: type.values.map(({ name }) => name) };
    case 'alternate':
      return { kind: 'alternate', types: type.branches.map((branch) => reach(branch.type)) };
    case 'object':
      return {
        kind: 'object',
        members: type.members.map((member) => describeMember(member, reach)),
        ...(type.variants === undefined
          ? {}
          : {
              tag: type.variants.tag,
              variants: Object.fromEntries(type.variants.cases.map((variant) => [variant.case, reach(variant.type)])),
            }),
      };
  }
}

function describeMember(member: Member, reach: Reach): object {
  return {
    name: member.name,
    type: reach(member.type),
    optional: member.optional,
    ...(hasFeature(member, 'deprecated') ? { deprecated: true } : {}),
  };
}
