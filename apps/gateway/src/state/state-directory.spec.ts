import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StateDirectory } from './state-directory.js';

let directory: string;
beforeEach(() => void (directory = makeTempDir()));
afterEach(() => removeTempDir(directory));

it('removes what earlier processes were killed writing, and nothing that one may still write', () => {
  const anHourAgo = Date.now() / 1000 - 3600;
  const old = [
    'tokens.json.0123456789ab.tmp',
    'vms.json.ba9876543210.tmp',
    'notes.tmp',
    'tokens.json',
    'x.0123456789ab.tmp.json',
  ];
  for (const name of [...old, 'tokens.json.aaaaaaaaaaaa.tmp']) writeFileSync(path.join(directory, name), '');
  for (const name of old) utimesSync(path.join(directory, name), anHourAgo, anHourAgo);
  new StateDirectory(directory).removeUnfinished();
  expect(readdirSync(directory).sort()).toEqual([
    'notes.tmp',
    'tokens.json',
    'tokens.json.aaaaaaaaaaaa.tmp',
    'x.0123456789ab.tmp.json',
  ]);
});
