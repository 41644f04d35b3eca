/**
 * @qmp-gateway/catalog: data about QMP servers.
 *
 * Catalogs of releases (names, types, widths), summaries in this project's own words, command classes with their
 * reasons, the argument rules that raise or lower them, deadlines, secrets to redact, examples. Nothing here talks to a
 * server or decides for a principal: the gateway's policy uses this data.
 */
export {
  bundledCatalogs,
  coveringCatalog,
  loadBundledCatalog,
  nearestCatalog,
  type BundledCatalog,
  type CoveringCatalog,
  type NearestCatalog,
  type ServerGreeting,
} from './bundled-catalogs.js';
export { CatalogError, catalogFormat, type Catalog, type CatalogGreeting, type CatalogMeta } from './catalog.js';
export { commandClassesFromSettings, type ClassSettingFault, type ClassSettings } from './class-settings.js';
export {
  classifyByName,
  classifyCommand,
  classRange,
  type ClassRange,
  type Ruling,
  type ServerRelease,
} from './classify.js';
export { classOrder, compareClasses, isCommandClass, type CommandClass } from './command-class.js';
export {
  commandKnowledge,
  isKnownCommand,
  knownCommands,
  descriptorCommands,
  notOffered,
  type CommandKnowledge,
  type NotOffered,
} from './command-knowledge.js';
export { completionKinds, completionOf, isCompletionKind, type Completion, type CompletionKind } from './completion.js';
export { decodeCatalog } from './decode-catalog.js';
export type { Deadline } from './deadline.js';
export { encodeCatalog, type EncodeOptions } from './encode-catalog.js';
export { describeCommand, type DescribedCommand } from './describe-command.js';
export { eventSummary } from './event-knowledge.js';
export { commandsWithExamples, exampleOf, type CommandExample } from './examples.js';
export { meantCommands, meantKey } from './meant-names.js';
export { describesMoreThanItHas, emptyArguments, modelOfNamedCommands } from './named-commands.js';
export { isConnectionType, propertySetters } from './property-setters.js';
export { redactedArguments, redactedMembers, redactionMark, withoutSecrets } from './redaction.js';
export { mayAnswerSecret, secretInAnswer, type IsSecretName } from './secret-answers.js';
export {
  agentKind,
  isServerKind,
  kindOfSchema,
  kindsSpeaking,
  machineKindOf,
  machineKinds,
  referenceKind,
  serverKindNames,
  serverKinds,
  type Introspection,
  type KindDialect,
  type MachineKind,
  type ServerKind,
  type ServerKindRow,
} from './server-kinds.js';
export { closedProperties, secretCommonMembers, secretHolders, secretPropertyName } from './secret-properties.js';
