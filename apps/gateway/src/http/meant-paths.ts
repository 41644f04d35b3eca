import { agentKind, isKnownCommand, machineKinds } from '@qmp-gateway/catalog';
import { nearestNames } from '@qmp-gateway/qapi';

/** Paths of the command lane, which are in no route table. */
const laneTemplates = [
  ...['/v1/vms/:vm/qmp', '/v1/vms/:vm/qmp/:command', '/v1/vms/:vm/agent', '/v1/vms/:vm/agent/:command'],
  '/v1/qmp/:command',
];
/** Longer paths are nobody's slip. */
const longestPath = 300;
const mostSegments = 8;
const mostSuggestions = 2;

/**
 * Paths that somebody may mean by one where nothing is: without `/v1` or `/qmp`, with a slash too many, a segment
 * mistyped or in other letters. Made from the path alone, so they tell of no VM whether it exists.
 *
 * @param templates the paths there are, variable segments as `:name`
 * @returns the likeliest first
 */
export function meantPaths(path: string, templates: readonly string[]): string[] {
  const given = path.split('/').filter((segment) => segment !== '');
  if (path === '/') return ['/docs'];
  if (path.length > longestPath || given.length === 0 || given.length > mostSegments) return [];
  const found = new Map<string, number>();
  for (const { segments, slips } of spellings(given))
    for (const template of [...laneTemplates, ...templates]) {
      const fit = fitting(template, segments);
      if (fit === undefined || fit.path === path) continue;
      found.set(fit.path, Math.min(found.get(fit.path) ?? Infinity, slips + fit.slips));
    }
  const fewest = Math.min(...found.values());
  return [...found].flatMap(([meant, slips]) => (slips === fewest ? [meant] : [])).slice(0, mostSuggestions);
}

interface Spelling {
  readonly segments: readonly string[];
  /** What was left out. */
  readonly slips: number;
}

function* spellings(given: readonly string[]): Generator<Spelling> {
  const versioned = [{ segments: given, slips: 0 }];
  if (given[0] !== 'v1') versioned.push({ segments: ['v1', ...given], slips: 1 });
  for (const { segments, slips } of versioned) {
    yield { segments, slips };
    const [version, collection, vm = '', command = '', ...more] = segments;
    if (version !== 'v1' || collection !== 'vms' || more.length > 0) continue;
    const server = serverOf(command);
    if (server !== undefined) yield { segments: ['v1', 'vms', vm, server, command], slips: slips + 1 };
  }
}

/** Who has a command of this name; undefined when no catalog knows it. */
function serverOf(command: string): 'qmp' | 'agent' | undefined {
  if (isKnownCommand(agentKind, command)) return 'agent';
  return machineKinds.some((kind) => isKnownCommand(kind, command)) ? 'qmp' : undefined;
}

function fitting(template: string, segments: readonly string[]): { path: string; slips: number } | undefined {
  const parts = template.split('/').filter((part) => part !== '');
  if (parts.length !== segments.length || template.includes('*')) return undefined;
  let slips = 0;
  let path = '';
  for (const [at, part] of parts.entries()) {
    const segment = segments[at] ?? '';
    if (!part.startsWith(':') && part !== segment) {
      if (!isNear(segment, part)) return undefined;
      slips++;
    }
    path += `/${part.startsWith(':') ? segment : part}`;
  }
  return { path, slips };
}

/** A slip, or one instead of many: names as short as `vm` are otherwise near to anything. */
function isNear(segment: string, part: string): boolean {
  return `${segment}s` === part || segment === `${part}s` || nearestNames(segment, [part]).length > 0;
}
