/**
 * @qmp-gateway/catalog: what is known of QMP servers, as data.
 *
 * Catalogs of releases (names, types, widths), summaries in our own words, command classes with their reasons, the
 * argument rules that raise or lower them, deadlines, secrets to redact, examples. Nothing here talks to a server or
 * decides for a principal: policy is made from this data by the gateway.
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
export { classifyByName, classifyCommand, classRange, type ClassRange, type Ruling } from './classify.js';
export { classOrder, compareClasses, isCommandClass, type CommandClass, type ServerKind } from './command-class.js';
export {
  commandKnowledge,
  isKnownCommand,
  knownCommands,
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
export { closedProperties, secretBaseType, secretHolders, secretPropertyName } from './secret-properties.js';
