import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Catalog, CatalogMeta } from './catalog.js';
import type { ServerKind } from './command-class.js';
import { dataFile } from './data-file.js';
import { decodeCatalog } from './decode-catalog.js';
import { releaseOrdinal } from './release.js';

/** What the index says of a bundled catalog, so that only the one needed is read. */
export interface BundledCatalog extends Pick<CatalogMeta, 'name' | 'version' | 'kind' | 'greeting'> {
  /** File name in `data/`. */
  readonly file: string;
}

let index: readonly BundledCatalog[] | undefined;
const loaded = new Map<string, Promise<Catalog>>();

/** The catalogs that come with this package. */
export function bundledCatalogs(): readonly BundledCatalog[] {
  index ??= JSON.parse(readFileSync(dataFile('catalogs.json'), 'utf8')) as readonly BundledCatalog[];
  return index;
}

/**
 * Reads a bundled catalog, once.
 * @throws {CatalogError} when the file is damaged
 */
export function loadBundledCatalog({ file }: Pick<BundledCatalog, 'file'>): Promise<Catalog> {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  const loading = readFile(dataFile(file), 'utf8').then((text) => decodeCatalog(text, file));
  loaded.set(file, loading);
  // A failed read may have been for want of file descriptors: the next caller tries again.
  loading.catch(() => loaded.delete(file));
  return loading;
}

/** What a server says of itself. */
export interface ServerGreeting {
  readonly kind: ServerKind;
  /** `major.minor.micro`. */
  readonly version: string;
  readonly package: string;
}

/** A catalog for a server, and whether it is of exactly that release. */
export interface NearestCatalog {
  readonly catalog: Catalog;
  /** Then its integer widths may be enforced; else they are documentation. */
  readonly exact: boolean;
}

/** A catalog for a server that can't describe itself. */
export interface CoveringCatalog extends NearestCatalog {
  /** False: the server is newer, so it may take what the catalog does not know. */
  readonly covers: boolean;
}

type Candidate = Pick<CatalogMeta, 'kind' | 'version' | 'greeting'> & { readonly load: () => Promise<Catalog> };

/**
 * The catalog of the release nearest to a server's: the very release where there is one, else the least distance in
 * releases, the newer of two as near. The user's own are taken before bundled ones as near. Undefined when there is
 * none for that kind of server.
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
  // A stable sort: the user's own come first among equals.
  const [nearest] = candidates.toSorted(
    (a, b) =>
      Number(b.version === version) - Number(a.version === version) ||
      distance(a) - distance(b) ||
      releaseOrdinal(b.version) - releaseOrdinal(a.version),
  );
  return nearest && { catalog: await nearest.load(), exact: nearest.version === version };
}

/**
 * The catalog that knows all a server takes, as releases add to their commands and take nothing away: of the oldest
 * release that is not older than the server's; with none, the newest there is. The user's own go before bundled ones of
 * the same release.
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

/** Place of a release without its last number: bug fixes change no schema. */
function seriesOf(version: string): number {
  return releaseOrdinal(/^\d+\.\d+/.exec(version)?.[0] ?? version);
}

function candidatesFor(greeting: ServerGreeting, userCatalogs: readonly Catalog[]): Candidate[] {
  return [
    ...userCatalogs.map((catalog) => ({ ...catalog.meta, load: () => Promise.resolve(catalog) })),
    ...bundledCatalogs().map((bundled) => ({ ...bundled, load: () => loadBundledCatalog(bundled) })),
  ].filter((candidate) => candidate.kind === greeting.kind && packageFits(candidate, greeting));
}

/** StratoVirt poses as QEMU 5.0.1 and tells its release in `package`. */
function versionOf({ kind, version, package: packageName }: ServerGreeting): string {
  if (kind !== 'stratovirt') return version;
  return /^StratoVirt-(\d+\.\d+\.\d+)/.exec(packageName)?.[1] ?? '0.0.0';
}

/** A catalog made for one vendor's package is not for others; which release is settled by distance. */
function packageFits({ kind, greeting }: Candidate, server: ServerGreeting): boolean {
  return kind === 'stratovirt' || greeting.package === undefined || server.package.startsWith(greeting.package);
}
