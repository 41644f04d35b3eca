/** The part of an Express route that tells which requests it takes. */
interface ExpressLayer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** Which methods a path takes, read from the routes themselves: what 405 answers and `Allow` need. */
export class RouteTable {
  #layers: readonly ExpressLayer[] = [];

  /** Takes the routes once all are made. */
  read(express: { router: { stack: readonly ExpressLayer[] } }): void {
    this.#layers = express.router.stack.filter((layer) => layer.route !== undefined);
  }

  /** The paths there are, variable segments as `:name`. */
  templates(): string[] {
    return [...new Set(this.#layers.map(({ route }) => route?.path ?? ''))];
  }

  /** Upper-case method names; empty when nothing is at this path. */
  methods(path: string): string[] {
    const methods = new Set<string>();
    for (const layer of this.#layers) {
      if (!layer.match(path)) continue;
      for (const method of Object.keys(layer.route?.methods ?? {}))
        if (method !== '_all') methods.add(method.toUpperCase());
    }
    return [...methods].sort();
  }
}
