/** Keys of this console begin so; what a session kept is found, and removed, by that. */
const prefix = 'qmpgw.of-session.';
/** Characters of one value; more is not kept. */
const longestValue = 256 * 1024;

/** What views keep in this browser for the one who is signed in. Emptied at a change of token. */
export class BrowserMemory {
  constructor(private readonly storage: Storage) {}

  /** @returns what was written; undefined where nothing is, or nothing that can be read */
  read(name: string): unknown {
    const text = this.storage.getItem(prefix + name);
    if (text === null) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  }

  /** Keeps a JSON value; one too large, or for which the browser has no room, is not kept. */
  write(name: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (text.length > longestValue) return;
    try {
      this.storage.setItem(prefix + name, text);
    } catch {
      // No room: the memory is a convenience, and what it is for works without.
    }
  }

  clear(): void {
    for (const key of Object.keys(this.storage)) if (key.startsWith(prefix)) this.storage.removeItem(key);
  }
}
