import type { TextStream } from './text-stream.js';

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan';

/** Colours a text, or returns it as it is. */
export type Style = (colour: Colour | undefined, text: string) => string;

/** Select Graphic Rendition, ECMA-48 8.3.117. */
const codes: Readonly<Record<Colour, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
};

/** Colours only on a terminal that has them, and only if nobody said no (https://no-color.org). */
export function styleOf(stream: Pick<TextStream, 'isTTY'>, environment: NodeJS.ProcessEnv): Style {
  const isRefused = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  if (stream.isTTY !== true || isRefused) return (_, text) => text;
  return (colour, text) => {
    if (colour === undefined || text === '') return text;
    const [on, off] = codes[colour];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

const colourOfState: Readonly<Record<string, Colour>> = {
  ready: 'green',
  ok: 'green',
  running: 'green',
  done: 'green',
  yes: 'green',
  reachable: 'green',
  waiting: 'yellow',
  connecting: 'yellow',
  negotiating: 'yellow',
  paused: 'yellow',
  slow: 'yellow',
  busy: 'yellow',
  closed: 'red',
  failed: 'red',
  lost: 'red',
  cancelled: 'yellow',
  unreachable: 'red',
  unresponsive: 'red',
  refused: 'red',
  unknown: 'red',
  'not sent': 'yellow',
  no: 'red',
};

/** The colour of a state of a VM, a command or a node. */
export function stateColour(state: string): Colour | undefined {
  return Object.hasOwn(colourOfState, state) ? colourOfState[state] : undefined;
}
