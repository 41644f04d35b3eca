/** Where in the schema source something stands, and the one error every stage of the compiler throws. */

/** A line of a schema file, with the `include` that brought the file in. */
export interface Position {
  /** Path as the compiler was given it, or made from it by following includes. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Where the include directive stands; undefined for the file the compilation began with. */
  readonly includedFrom?: Position | undefined;
}

/** The positions of the include directives that lead to `position`, outermost first. */
export function includeChain(position: Position): Position[] {
  const chain: Position[] = [];
  for (let at = position.includedFrom; at !== undefined; at = at.includedFrom) chain.unshift(at);
  return chain;
}

/**
 * What is wrong with a schema, and where. The message is what the command line prints:
 * one line per include, then `file:line: in command 'x': what is wrong`.
 */
export class QapiSchemaError extends Error {
  readonly file: string;
  readonly line: number;
  readonly includedFrom: readonly Position[];

  /**
   * @param position - the line at fault; for a rule about a definition, the line the definition starts on
   * @param problem - what is wrong, without place
   * @param definition - what is being defined there, e.g. `command 'query-x'`
   */
  constructor(
    position: Position,
    readonly problem: string,
    readonly definition?: string,
  ) {
    const chain = includeChain(position);
    const context = definition === undefined ? '' : `in ${definition}: `;
    super(
      [
        ...chain.map((at) => `In file included from ${at.file}:${at.line}:`),
        `${position.file}:${position.line}: ${context}${problem}`,
      ].join('\n'),
    );
    this.name = 'QapiSchemaError';
    this.file = position.file;
    this.line = position.line;
    this.includedFrom = chain;
  }
}
