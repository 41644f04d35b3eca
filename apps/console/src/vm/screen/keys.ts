/** A key as X11 numbers it, and as a keyboard of the US layout calls its place. */
export interface Key {
  readonly keysym: number;
  readonly code: string;
}

const control: Key = { keysym: 0xffe3, code: 'ControlLeft' };
const alt: Key = { keysym: 0xffe9, code: 'AltLeft' };
const sysRq: Key = { keysym: 0xff61, code: 'PrintScreen' };
const firstFunctionKey = 0xffbe;

function functionKey(number: number): Key {
  return { keysym: firstFunctionKey + number - 1, code: `F${number}` };
}

function letter(text: string): Key {
  return { keysym: text.charCodeAt(0), code: `Key${text.toUpperCase()}` };
}

/** Keys that a browser keeps for itself, pressed together. */
export interface Combination {
  readonly title: string;
  readonly keys: readonly Key[];
}

export const combinations: readonly Combination[] = [
  { title: 'Ctrl+Alt+Del', keys: [control, alt, { keysym: 0xffff, code: 'Delete' }] },
  ...[1, 2, 3, 7].map((number) => ({
    title: `Ctrl+Alt+F${number}`,
    keys: [control, alt, functionKey(number)],
  })),
  { title: 'Alt+Tab', keys: [alt, { keysym: 0xff09, code: 'Tab' }] },
  { title: 'Alt+F4', keys: [alt, functionKey(4)] },
  { title: 'Ctrl+W', keys: [control, letter('w')] },
  { title: 'Super', keys: [{ keysym: 0xffeb, code: 'MetaLeft' }] },
  { title: 'Print', keys: [sysRq] },
  { title: 'Alt+SysRq+S (write disks)', keys: [alt, sysRq, letter('s')] },
  { title: 'Alt+SysRq+W (blocked tasks)', keys: [alt, sysRq, letter('w')] },
];
