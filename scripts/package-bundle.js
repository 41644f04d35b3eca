// The dependencies of a program, for its tarball, in the versions it was tested with: an extract of this tree's
// package-lock.json.
//
// Ranges alone would give users untested versions, and npm applies `overrides` of the root package only: one dependency of Nest
// would come in a release that does not support every Node.js version that the gateway supports. (npm reads a lock file in a
// package only if it comes from a registry.)

/** Reports each install of Swagger UI to its makers, by a script; `overrides` of ours keep it quiet in this tree only. */
const unwanted = '@scarf/scarf';

/**
 * @param lock this tree's package-lock.json
 * @param overrides those of this tree's package.json
 * @param workspace the package's folder in it
 * @param bundled names of the packages its tarball brings along
 * @returns those and all they need: the folder of each, by the folder it has in the tarball, and its dependencies
 */
export function bundleOf({ lock, overrides, workspace, bundled }) {
  const bundle = new Map();
  const wanted = bundled.map((name) => [workspace, name]);
  // Grows during the iteration.
  for (const [from, name] of wanted) {
    const place = placeOf(lock, from, name);
    const target = place?.replace(`${workspace}/`, '');
    // Peers that are optional may be missing.
    if (target === undefined || bundle.has(target)) continue;
    if (!target.startsWith('node_modules/')) throw new Error(`${place} has no place in a tarball`);
    const { link, resolved } = lock.packages[place];
    const folder = link === true ? resolved : place;
    const { dependencies: ranges = {}, optionalDependencies, peerDependencies } = lock.packages[folder];
    const dependencies = asInstalled(lock, folder, ranges, overrides);
    bundle.set(target, { folder, dependencies });
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
      wanted.push([folder, needed]);
  }
  return bundle;
}

/** Where a package finds another: below itself, or below one of those around it. */
function placeOf({ packages }, from, name) {
  for (let folder = from; folder !== ''; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = `${folder}/node_modules/${name}`;
    if (place in packages) return place;
  }
  return `node_modules/${name}` in packages ? `node_modules/${name}` : undefined;
}

/** What an override of ours went past is asked for as it is there. */
function asInstalled(lock, folder, dependencies, overrides) {
  const entries = Object.entries(dependencies).filter(([name]) => name !== unwanted);
  return Object.fromEntries(
    entries.map(([name, range]) => [
      name,
      name in overrides ? lock.packages[placeOf(lock, folder, name)].version : range,
    ]),
  );
}
