#!/usr/bin/env node
// A release: one version for all packages, a section of the changelog, a commit and a tag.
//
//   node scripts/release.js VERSION [--dry-run]   makes it; refuses a tree with changes
//   node scripts/release.js check [--tag TAG]     fails unless versions and changelog agree, with each other and the tag
//   node scripts/release.js notes VERSION         prints its section of the changelog
//   node scripts/release.js repository URL        says in each package where it comes from, which provenance is held against

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scope = /^(?:@qmp-gateway\/.+|qmp-gateway(?:-cli)?|qapi-compiler)$/;
const form = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;
const unreleased = '## [Unreleased]';

const folders = ['apps', 'libs'].flatMap((group) =>
  readdirSync(join(root, group))
    .map((name) => `${group}/${name}`)
    .filter((folder) => existsSync(join(root, folder, 'package.json'))),
);
const read = (file) => readFileSync(join(root, file), 'utf8');
const manifestOf = (folder) => JSON.parse(read(`${folder}/package.json`));
const git = (...words) => execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();

const [task, ...words] = process.argv.slice(2);
try {
  if (task === 'check') check(words[0] === '--tag' ? words[1] : undefined);
  else if (task === 'notes') process.stdout.write(`${sectionOf(words[0])}\n`);
  else if (task === 'repository') writeAll(withRepository(words[0]));
  else if (form.test(task ?? '')) release(task, words.includes('--dry-run'));
  else throw new Error('usage: npm run release -- VERSION [--dry-run], with a version such as 1.2.3');
} catch (error) {
  process.stderr.write(`release: ${error.message}\n`);
  process.exit(1);
}

function release(version, isDry) {
  if (git('status', '--porcelain') !== '') throw new Error('the tree has changes; commit or stash them first');
  const tag = `v${version}`;
  if (git('tag', '--list', tag) !== '') throw new Error(`there is a tag ${tag} already`);
  const before = commonVersion();
  if (compare(version, before) < 0) throw new Error(`${version} is lower than ${before}, which the packages have`);
  const files = { ...withVersion(before, version), 'CHANGELOG.md': withSection(version) };
  const changed = Object.keys(files).filter((file) => files[file] !== read(file));
  process.stdout.write(`${before} -> ${version}, tag ${tag}\n${changed.map((file) => `  ${file}\n`).join('')}`);
  if (isDry) {
    process.stdout.write(`Nothing was written. The notes would be:\n\n${sectionIn(files['CHANGELOG.md'], version)}\n`);
    return;
  }
  writeAll(files);
  git('add', '--', ...changed);
  git('commit', '--quiet', '--message', `build(release): ${version}`);
  git('tag', '--annotate', '--message', `qmp-gateway ${version}`, tag);
  process.stdout.write(`Push it to publish it: git push origin HEAD ${tag}\n`);
}

function check(tag) {
  const version = commonVersion();
  for (const folder of folders)
    for (const [name, range] of Object.entries(manifestOf(folder).dependencies ?? {}))
      if (scope.test(name) && range !== version)
        throw new Error(`${folder} wants ${name} ${range}, and the packages have ${version}`);
  if (tag !== undefined && tag !== `v${version}`)
    throw new Error(`the tag is ${tag}, and the packages have ${version}`);
  // Between two releases the next one is being written.
  const isReleased = tag !== undefined || git('tag', '--list', `v${version}`) !== '';
  sectionOf(isReleased ? version : undefined);
  process.stdout.write(`${folders.length} packages have version ${version}, and the changelog has it\n`);
}

function commonVersion() {
  const versions = new Set(folders.map((folder) => manifestOf(folder).version));
  if (versions.size !== 1) throw new Error(`packages have several versions: ${[...versions].join(', ')}`);
  return [...versions][0];
}

/** The manifests, the lock file, the specifications, and the pages that name a tarball. */
function withVersion(before, version) {
  const inDependencies = (dependencies) =>
    dependencies && Object.fromEntries(Object.entries(dependencies).map(([k, v]) => [k, scope.test(k) ? version : v]));
  const update = (manifest) => ({
    ...manifest,
    version,
    ...(manifest.dependencies && { dependencies: inDependencies(manifest.dependencies) }),
  });
  const lock = JSON.parse(read('package-lock.json'));
  for (const folder of folders) lock.packages[folder] = update(lock.packages[folder]);
  const named = new RegExp(`(qmp-gateway-|qapi-compiler-)${before.replaceAll('.', '\\.')}\\.tgz`, 'g');
  const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
  return {
    ...Object.fromEntries(folders.map((folder) => [`${folder}/package.json`, json(update(manifestOf(folder)))])),
    'package-lock.json': json(lock),
    ...Object.fromEntries(
      ['openapi/gateway.json', 'openapi/asyncapi.json'].map((file) => [
        file,
        read(file).replace(`"version": "${before}"`, `"version": "${version}"`),
      ]),
    ),
    ...Object.fromEntries(
      pages.filter((page) => page.endsWith('.md')).map((page) => [page, read(page).replace(named, `$1${version}.tgz`)]),
    ),
  };
}

function withRepository(url) {
  if (!/^https:\/\/[\w./-]+$/.test(url ?? '')) throw new Error('repository takes an https address');
  const repository = (directory) => ({ type: 'git', url: `git+${url}.git`, directory });
  return Object.fromEntries(
    folders.map((folder) => [
      `${folder}/package.json`,
      json({ ...manifestOf(folder), repository: repository(folder) }),
    ]),
  );
}

function withSection(version) {
  sectionOf();
  const today = new Date().toISOString().slice(0, 10);
  return read('CHANGELOG.md').replace(unreleased, `${unreleased}\n\n## [${version}] - ${today}`);
}

function sectionOf(version) {
  return sectionIn(read('CHANGELOG.md'), version);
}

/** The text of a section of the changelog. @throws if it is missing or empty */
function sectionIn(changelog, version) {
  const heading = version === undefined ? unreleased : `## [${version}]`;
  const text = changelog.split(/^(?=## \[)/m).find((section) => section.startsWith(heading));
  const body = text?.replace(/^.*\n/, '').trim() ?? '';
  if (body === '') throw new Error(`CHANGELOG.md has nothing under "${heading}"`);
  return body;
}

/** Negative if the first is lower. A version with a suffix comes before the one without. */
function compare(one, other) {
  const [a, b] = [one, other].map((version) => version.split('-', 1)[0].split('.').map(Number));
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || Number(other.includes('-')) - Number(one.includes('-'));
}

function writeAll(files) {
  for (const [file, text] of Object.entries(files)) if (text !== read(file)) writeFileSync(join(root, file), text);
}

function json(value) {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
