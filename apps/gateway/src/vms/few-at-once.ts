/**
 * The same, but so many at once at most; the others wait their turn. A monitor takes no more commands than it has places
 * for, and a question it did not take would look like one that the VM does not answer.
 */
export function fewAtOnce<Args extends unknown[], Answer>(
  ask: (...args: Args) => Promise<Answer>,
  most: number,
): (...args: Args) => Promise<Answer> {
  let underWay = 0;
  const waiting: (() => void)[] = [];
  return async (...args) => {
    if (underWay < most) underWay++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await ask(...args);
    } finally {
      const next = waiting.shift();
      if (next === undefined) underWay--;
      else next();
    }
  };
}
