/** Positions in the schema source, and the one error that every stage of the compiler throws. */

/** A line of a schema file, with the `include` that led to the file. */
export interface Position {
  /** Path as given to the compiler, or derived from it by following includes. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Position of the include directive; undefined for the first file. */
  readonly includedFrom?: Position | undefined;
}

/** The positions of the include directives that lead to `position`, outermost first. */
export function includeChain(position: Position): Position[] {
  const chain: Position[] = [];
  for (let at = position.includedFrom; at !== undefined; at = at.includedFrom) chain.unshift(at);
  return chain;
}

/**
 * A fault of a schema and its position. The message is what the command line prints: one line per include, then
 * `file:line: in command 'x': what is wrong`.
 */
export class QapiSchemaError extends Error {
  readonly file: string;
  readonly line: number;
  readonly includedFrom: readonly Position[];

  /**
   * @param position - the faulty line; for a rule about a definition, the line the definition starts on
   * @param problem - what is wrong, without position
   * @param definition - the definition there, e.g. `command 'query-x'`
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
