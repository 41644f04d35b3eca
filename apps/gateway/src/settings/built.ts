import type { Abstract, FactoryProvider, Type } from '@nestjs/common';

type Token<T> = Type<T> | Abstract<T> | symbol;
type Tokens<Parameters extends readonly unknown[]> = { [At in keyof Parameters]: Token<Parameters[At]> };

/**
 * A provider that Nest builds from others, for a class that knows nothing of Nest.
 * @param inject what its constructor takes, in order
 */
export function built<Parameters extends unknown[], T>(
  made: new (...parameters: Parameters) => T,
  ...inject: Tokens<Parameters>
): FactoryProvider<T> {
  return {
    provide: made,
    inject: [...(inject as readonly Token<unknown>[])],
    useFactory: (...parameters: unknown[]) => new made(...(parameters as Parameters)),
  };
}
