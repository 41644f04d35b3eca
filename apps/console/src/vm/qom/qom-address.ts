/** Page of an object of a VM, within the console. @param path from the root: `/machine/peripheral` */
export function qomAddress(vm: string, path: string): string {
  const steps = path.split('/').filter((step) => step !== '');
  return `/vms/${encodeURIComponent(vm)}/qom/${steps.map(encodeURIComponent).join('/')}`;
}

/** The steps of a path, each with the path that leads to it; the root first. */
export function pathSteps(path: string): readonly { readonly name: string; readonly path: string }[] {
  const names = path.split('/').filter((step) => step !== '');
  return [
    { name: 'root', path: '/' },
    ...names.map((name, index) => ({ name, path: `/${names.slice(0, index + 1).join('/')}` })),
  ];
}

export function childPath(path: string, name: string): string {
  return `${path === '/' ? '' : path}/${name}`;
}
