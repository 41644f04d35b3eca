import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Catalog, CatalogMeta } from './catalog.js';
import { serverKinds, type ServerKind } from './server-kinds.js';
import { dataFile } from './data-file.js';
import { decodeCatalog } from './decode-catalog.js';
import { releaseOrdinal } from './release.js';

/** The index entry of a bundled catalog, so that only the needed one is read. */
export interface BundledCatalog extends Pick<CatalogMeta, 'name' | 'version' | 'kind' | 'greeting'> {
  /** File name in `data/`. */
  readonly file: string;
}

let index: readonly BundledCatalog[] | undefined;
const loaded = new Map<string, Promise<Catalog>>();

/** The catalogs in this package. */
export function bundledCatalogs(): readonly BundledCatalog[] {
  index ??= JSON.parse(readFileSync(dataFile('catalogs.json'), 'utf8')) as readonly BundledCatalog[];
  return index;
}

/**
 * Reads a bundled catalog, once.
 * @throws {CatalogError} if the file is damaged
 */
export function loadBundledCatalog({ file }: Pick<BundledCatalog, 'file'>): Promise<Catalog> {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  const loading = readFile(dataFile(file), 'utf8').then((text) => decodeCatalog(text, file));
  loaded.set(file, loading);
  // A read may have failed for lack of file descriptors: the next caller tries again.
  loading.catch(() => loaded.delete(file));
  return loading;
}

/** What a server says about itself. */
export interface ServerGreeting {
  readonly kind: ServerKind;
  /** `major.minor.micro`. */
  readonly version: string;
  readonly package: string;
}

/** A catalog for a server, and whether it is for exactly that release. */
export interface NearestCatalog {
  readonly catalog: Catalog;
  /** If so, its integer widths may be enforced; otherwise they are documentation. */
  readonly exact: boolean;
}

/** A catalog for a server without introspection. */
export interface CoveringCatalog extends NearestCatalog {
  /** False: the server is newer, so it may accept what the catalog does not list. */
  readonly covers: boolean;
}

type Candidate = Pick<CatalogMeta, 'kind' | 'version' | 'greeting'> & { readonly load: () => Promise<Catalog> };

/**
 * The catalog of the release nearest to a server's: the same release if there is one, otherwise the smallest distance
 * in releases, and the newer of two equally near. User catalogs take precedence over bundled ones at the same distance.
 * Undefined if there is none for that kind of server.
 *
 * @throws {CatalogError} when the chosen bundled catalog is damaged
 */
export async function nearestCatalog(
  greeting: ServerGreeting,
  userCatalogs: readonly Catalog[] = [],
): Promise<NearestCatalog | undefined> {
  const version = versionOf(greeting);
  const candidates = candidatesFor(greeting, userCatalogs);
  const distance = (candidate: Candidate): number =>
    Math.abs(releaseOrdinal(candidate.version) - releaseOrdinal(version));
  // A stable sort: user catalogs come first among equals.
  const [nearest] = candidates.toSorted(
    (a, b) =>
      Number(b.version === version) - Number(a.version === version) ||
      distance(a) - distance(b) ||
      releaseOrdinal(b.version) - releaseOrdinal(a.version),
  );
  return nearest && { catalog: await nearest.load(), exact: nearest.version === version };
}

/**
 * The catalog that covers everything a server accepts, since releases add commands and remove none: that of the oldest
 * release that is not older than the server's; without one, the newest. User catalogs take precedence over bundled ones
 * of the same release.
 *
 * @throws {CatalogError} when the chosen bundled catalog is damaged
 */
export async function coveringCatalog(
  greeting: ServerGreeting,
  userCatalogs: readonly Catalog[] = [],
): Promise<CoveringCatalog | undefined> {
  const wanted = seriesOf(greeting.version);
  const inOrder = candidatesFor(greeting, userCatalogs).toSorted((a, b) => seriesOf(a.version) - seriesOf(b.version));
  const covering = inOrder.find(({ version }) => seriesOf(version) >= wanted);
  const chosen = covering ?? inOrder.at(-1);
  if (chosen === undefined) return undefined;
  const exact = chosen.version === greeting.version;
  return { catalog: await chosen.load(), exact, covers: covering !== undefined };
}

/** Rank of a release without its last number: bug fixes change no schema. */
function seriesOf(version: string): number {
  return releaseOrdinal(/^\d+\.\d+/.exec(version)?.[0] ?? version);
}

function candidatesFor(greeting: ServerGreeting, userCatalogs: readonly Catalog[]): Candidate[] {
  return [
    ...userCatalogs.map((catalog) => ({ ...catalog.meta, load: () => Promise.resolve(catalog) })),
    ...bundledCatalogs().map((bundled) => ({ ...bundled, load: () => loadBundledCatalog(bundled) })),
  ].filter((candidate) => candidate.kind === greeting.kind && packageFits(candidate, greeting));
}

function versionOf({ kind, version, package: packageName }: ServerGreeting): string {
  const { releaseAfter } = serverKinds[kind];
  if (releaseAfter === null) return version;
  const release = packageName.startsWith(releaseAfter) ? packageName.slice(releaseAfter.length) : '';
  return /^\d+\.\d+\.\d+/.exec(release)?.[0] ?? '0.0.0';
}

/** A catalog for one vendor's package does not apply to others; the distance decides the release. */
function packageFits({ kind, greeting }: Candidate, server: ServerGreeting): boolean {
  const isRelease = serverKinds[kind].releaseAfter !== null;
  return isRelease || greeting.package === undefined || server.package.startsWith(greeting.package);
}
