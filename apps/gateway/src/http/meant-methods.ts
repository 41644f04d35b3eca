/** What somebody means by a method that a path does not take. */
interface MeantMethod {
  readonly method: string;
  readonly path: RegExp;
  readonly hint: string;
  /** Method and path; `$1` is the path's first variable segment. */
  readonly meant: string;
}

const meantMethods: readonly MeantMethod[] = [
  {
    ...{ method: 'POST', path: /^\/v1\/vms$/ },
    ...{ hint: 'A VM is registered under its id', meant: 'PUT /v1/vms/{vm}' },
  },
  {
    ...{ method: 'PATCH', path: /^\/v1\/vms\/([^/]+)$/ },
    ...{ hint: 'A VM is registered anew as a whole', meant: 'PUT /v1/vms/$1' },
  },
  {
    ...{ method: 'POST', path: /^\/v1\/vms\/([^/]+)$/ },
    ...{ hint: 'QMP messages go one step below', meant: 'POST /v1/vms/$1/qmp' },
  },
];

/** Where a request of this method would find what its sender wants; undefined when none of ours knows. */
export function meantMethod(method: string, path: string): { hint: string; meant: string } | undefined {
  for (const row of meantMethods) {
    const match = row.method === method ? row.path.exec(path) : null;
    if (match !== null) return { hint: row.hint, meant: row.meant.replace('$1', match[1] ?? '') };
  }
  return undefined;
}
