import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Writes `text` to `file` unless that is what it holds already, so that nothing depending on it is rebuilt in vain. */
export function writeIfChanged(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(file, text);
}
