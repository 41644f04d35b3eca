import type { ResourceRoute } from './resource/resource-routes.js';

/** What is known of a request's route before anything runs: what the entrance asks. */
export interface RouteTraits {
  /** The session cookie counts. */
  readonly takesCookie: boolean;
  /** A one-time code counts. */
  readonly takesCode: boolean;
  /** The handler reads the body as it comes. */
  readonly streamsBody: boolean;
  readonly takesHead: boolean;
}

interface Entry extends RouteTraits {
  readonly method: string;
}

/** All routes of one template. */
interface Place {
  readonly template: string;
  readonly pattern: RegExp;
  readonly entries: readonly Entry[];
}

const nothing: RouteTraits = { takesCookie: false, takesCode: false, streamsBody: false, takesHead: false };

/** The routes there are, by method and path, as their declarations tell. Paths are exact: letters count, and slashes. */
export class RouteTable {
  readonly #places: readonly Place[];
  /** Of paths without variables: most of those that are asked often. */
  readonly #fixed: ReadonlyMap<string, readonly Entry[]>;
  /** A request asks several times for its path. */
  #last: { readonly path: string; readonly entries: readonly Entry[] } = { path: '', entries: [] };
  /** One pattern for all of them: it is asked for every request. */
  readonly #publicPaths: RegExp;

  constructor(routes: readonly ResourceRoute[]) {
    this.#places = [...new Set(routes.map(({ path }) => path))].map((template) => ({
      template,
      pattern: new RegExp(`^${segmentPatterns(template)}$`),
      entries: routes.filter(({ path }) => path === template).map(entryOf),
    }));
    this.#fixed = new Map(
      this.templates()
        .filter((template) => !/\/[:*]/.test(template))
        .map((template) => [template, this.#matching(template)]),
    );
    const open = routes.filter(({ declaration }) => declaration.needs === undefined);
    this.#publicPaths = new RegExp(`^(?:${open.map(({ path }) => segmentPatterns(path)).join('|')})$`);
  }

  /** The paths there are, variable segments as `:name`. */
  templates(): string[] {
    return this.#places.map(({ template }) => template);
  }

  /** Upper-case method names for 405 and `Allow`; empty when nothing is at this path. */
  methods(path: string): string[] {
    const methods = this.#at(path).flatMap(({ method, takesHead }) => [method, ...(takesHead ? ['HEAD'] : [])]);
    return [...new Set(methods)].sort();
  }

  /** Whether a request finds a handler: what `methods` has, at a fraction of its cost. */
  takes(method: string | undefined, path: string): boolean {
    return this.#at(path).some((entry) => entry.method === method || (entry.takesHead && method === 'HEAD'));
  }

  /**
   * What anyone may read without credentials. A list of what is open, not of what is closed: no spelling that a router
   * takes for a path of ours can come in without credentials.
   */
  isPublic(method: string | undefined, path: string): boolean {
    return (method === 'GET' || method === 'HEAD') && this.#publicPaths.test(path);
  }

  /**
   * Whether a request, which finds no handler, was meant for what anyone may read: with a slash too many, in other letters,
   * by another method. Whoever asks may hear so; it says nothing of what is closed.
   */
  isNearPublic(method: string | undefined, path: string): boolean {
    return this.#publicPaths.test(path.replace(/\/$/, '').toLowerCase()) && !this.takes(method, path);
  }

  /** All false where nothing is. */
  traits(method: string | undefined, path: string): RouteTraits {
    const wanted = method === 'HEAD' ? 'GET' : method;
    return this.#at(path).find((entry) => entry.method === wanted) ?? nothing;
  }

  #at(path: string): readonly Entry[] {
    const fixed = this.#fixed.get(path);
    if (fixed !== undefined) return fixed;
    if (this.#last.path !== path) this.#last = { path, entries: this.#matching(path) };
    return this.#last.entries;
  }

  #matching(path: string): readonly Entry[] {
    return this.#places.flatMap(({ pattern, entries }) => (pattern.test(path) ? entries : []));
  }
}

function entryOf({ method, declaration: { cookie, code, streamedBody, head } }: ResourceRoute): Entry {
  return {
    method,
    takesCookie: cookie === true,
    takesCode: code === true,
    streamsBody: streamedBody !== undefined,
    takesHead: method === 'GET' && head !== false,
  };
}

function segmentPatterns(template: string): string {
  return template
    .split('/')
    .map((segment) =>
      segment.startsWith(':')
        ? '[^/]+'
        : segment.startsWith('*')
          ? '.*'
          : segment.replaceAll(/[.\\+*?^$()[\]{}|]/g, '\\$&'),
    )
    .join('/');
}
