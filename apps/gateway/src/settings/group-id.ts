import { spawnSync } from 'node:child_process';

/** The number of a group, or undefined when there is none of that name. */
export function groupId(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  const { stdout } = spawnSync('getent', ['group', name], { encoding: 'utf8' });
  const id = stdout.split(':')[2];
  return id === undefined ? undefined : Number(id);
}
