import type { Command, Condition, EnumType, Event, Feature, ObjectType, QapiType } from '@qmp-gateway/qapi';
import type { ModuleEntity, SchemaModule } from '@qmp-gateway/qapi';

/**
 * Writes modules the way the expected outputs (`.out`) of a conformance directory are written, so that the two can be
 * compared line by line. `prefix` lines are left out: they name C constants, which the model does not keep.
 */
export function renderModules(modules: readonly SchemaModule[]): string[] {
  return modules.flatMap(({ file, entities }) => [`module ${file}`, ...entities.flatMap(renderEntity)]);
}

function renderEntity(entity: ModuleEntity): string[] {
  switch (entity.kind) {
    case 'include':
      return [`include ${entity.file}`];
    case 'builtin':
      return [];
    case 'array':
      return [`array ${entity.name} ${entity.element.name}`, ...renderParts(1, conditionOf(entity.element), [])];
    case 'enum':
      return [`enum ${entity.name}`, ...renderValues(entity), ...renderParts(1, entity.if, entity.features)];
    case 'object':
      return [`object ${entity.name}`, ...renderObject(entity), ...renderParts(1, entity.if, entity.features)];
    case 'alternate': {
      const branches = entity.branches.flatMap((branch) => [
        `    case ${branch.name ?? ''}: ${branch.type.name}`,
        ...renderParts(2, branch.if, []),
      ]);
      const parts = renderParts(1, entity.if, entity.features);
      return [`alternate ${entity.name}`, '    tag type', ...branches, ...parts];
    }
    case 'command':
      return renderCommand(entity);
    case 'event':
      return renderEvent(entity);
  }
}

function renderValues({ values }: EnumType): string[] {
  return values.flatMap((value) => [`    member ${value.name}`, ...renderParts(2, value.if, value.features)]);
}

function renderObject({ base, members, variants }: ObjectType): string[] {
  const local = members.slice(base?.members.length ?? 0);
  const lines = base === undefined ? [] : [`    base ${base.name}`];
  for (const { name, type, optional, if: condition, features } of local) {
    lines.push(`    member ${name}: ${type.name} optional=${pythonBoolean(optional)}`);
    lines.push(...renderParts(2, condition, features));
  }
  if (variants === undefined) return lines;
  lines.push(`    tag ${variants.tag}`);
  for (const variant of variants.cases) {
    lines.push(`    case ${variant.case}: ${variant.type.name}`, ...renderParts(2, variant.if, []));
  }
  const tagType = members.find((member) => member.name === variants.tag)?.type;
  if (tagType?.kind !== 'enum') throw new Error(`tag ${variants.tag} is no enum`);
  for (const value of tagType.values) {
    if (variants.cases.some((variant) => variant.case === value.name)) continue;
    lines.push(`    case ${value.name}: q_empty`, ...renderParts(2, value.if, []));
  }
  return lines;
}

function renderCommand(command: Command): string[] {
  const flags = [
    `gen=${pythonBoolean(command.gen)}`,
    `success_response=${pythonBoolean(command.successResponse)}`,
    `boxed=${pythonBoolean(command.boxed)}`,
    `oob=${pythonBoolean(command.allowOob)}`,
    `preconfig=${pythonBoolean(command.allowPreconfig)}`,
    ...(command.coroutine === true ? ['coroutine=True'] : []),
  ];
  return [
    `command ${command.name} ${typeOrNone(command.arguments)} -> ${typeOrNone(command.returns)}`,
    `    ${flags.join(' ')}`,
    ...renderParts(1, command.if, command.features),
  ];
}

function renderEvent(event: Event): string[] {
  return [
    `event ${event.name} ${typeOrNone(event.data)}`,
    `    boxed=${pythonBoolean(event.boxed)}`,
    ...renderParts(1, event.if, event.features),
  ];
}

function typeOrNone(type: QapiType): string {
  return type.name === 'q_empty' ? 'None' : type.name;
}

function conditionOf(type: QapiType): Condition | undefined {
  return 'if' in type ? type.if : undefined;
}

function renderParts(depth: number, condition: Condition | undefined, features: readonly Feature[]): string[] {
  const indent = '    '.repeat(depth);
  return [
    ...(condition === undefined ? [] : [`${indent}if ${pythonCondition(condition)}`]),
    ...features.flatMap((feature) => [`${indent}feature ${feature.name}`, ...renderParts(depth + 1, feature.if, [])]),
  ];
}

function pythonBoolean(value: boolean | undefined): string {
  return value === true ? 'True' : value === false ? 'False' : 'None';
}

/** A lone symbol stands bare, symbols inside an operator are quoted. */
function pythonCondition(condition: Condition, inside = false): string {
  if (typeof condition === 'string') return inside ? `'${condition}'` : condition;
  if ('not' in condition) return `{'not': ${pythonCondition(condition.not, true)}}`;
  const [operator, operands] = 'all' in condition ? ['all', condition.all] : ['any', condition.any];
  return `{'${operator}': [${operands.map((operand) => pythonCondition(operand, true)).join(', ')}]}`;
}
