import { watch, type FSWatcher } from 'node:fs';
import path from 'node:path';

interface WatchedDirectory {
  readonly watcher: FSWatcher;
  readonly interested: Map<string, Set<() => void>>;
}

/** One watch per directory, for all awaited sockets in it. */
const directories = new Map<string, WatchedDirectory>();

/**
 * Calls `changed` whenever something happens to the name `file` in its directory: a server that starts binds it anew.
 * Ignores directories that are missing or cannot be watched, because the caller has its back-off.
 * @returns a function that ends the watch.
 */
export function watchSocketFile(file: string, changed: () => void): () => void {
  const directory = path.dirname(file);
  const name = path.basename(file);
  const watched = directories.get(directory) ?? watchDirectory(directory);
  if (watched === null) return () => undefined;
  let interested = watched.interested.get(name);
  if (interested === undefined) watched.interested.set(name, (interested = new Set()));
  // A separate object for each call, so that ending one watch does not end another.
  const notify = (): void => changed();
  interested.add(notify);
  return () => {
    interested.delete(notify);
    if (interested.size === 0 && watched.interested.get(name) === interested) watched.interested.delete(name);
    if (watched.interested.size === 0) closeDirectory(directory, watched);
  };
}

function watchDirectory(directory: string): WatchedDirectory | null {
  try {
    const watcher = watch(directory, { persistent: false });
    const watched: WatchedDirectory = { watcher, interested: new Map() };
    watcher.on('change', (_event, name) => {
      for (const notify of [...(watched.interested.get(String(name)) ?? [])]) notify();
    });
    watcher.on('error', () => closeDirectory(directory, watched));
    directories.set(directory, watched);
    return watched;
  } catch {
    return null;
  }
}

function closeDirectory(directory: string, watched: WatchedDirectory): void {
  if (directories.get(directory) === watched) directories.delete(directory);
  watched.watcher.close();
}
