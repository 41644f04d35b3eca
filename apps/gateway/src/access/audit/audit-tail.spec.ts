import { Scene } from '@qmp-gateway/test-kit';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { tailOf } from './audit-tail.js';

const scene = new Scene();
afterAll(() => scene.end());

function fileWith(text: string): string {
  const file = path.join(scene.directory(), 'audit.log');
  writeFileSync(file, text);
  return file;
}

it('has the newest lines, and nothing that is not finished', async () => {
  const file = fileWith('{"a":1}\n{"a":2}\n{"a":3}\n{"a"');
  expect(await tailOf(file, 2)).toEqual(['{"a":2}', '{"a":3}']);
  expect(await tailOf(file, 10)).toHaveLength(3);
  expect(await tailOf(fileWith(''), 10)).toEqual([]);
});

it('reads only the end of a large file, and no half line of it', async () => {
  const line = JSON.stringify({ text: 'ä'.repeat(1_000) });
  const lines = await tailOf(fileWith(`${line}\n`.repeat(2_000)), 5_000);
  expect(lines.length).toBeGreaterThan(400);
  expect(lines.length).toBeLessThan(2_000);
  expect(new Set(lines)).toEqual(new Set([line]));
});

it('says when there is no such file', async () => {
  await expect(tailOf('/nonexistent/audit.log', 1)).rejects.toThrow('ENOENT');
});
