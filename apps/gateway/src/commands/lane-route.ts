import { BoundedMap } from '../bounds/bounded-map.js';
import { decodeSegment } from '../http/vm-path.js';

/** Which of the lane's requests it is: a command by its path, a whole QMP message, or a command for many VMs. */
export type LaneRoute =
  | { readonly kind: 'command'; readonly vm: string; readonly agent: boolean; readonly command: string }
  | { readonly kind: 'message'; readonly vm: string; readonly agent: boolean }
  | { readonly kind: 'fan-out'; readonly command: string };

const routePattern = /^\/v1\/(?:vms\/([^/]+)\/(qmp|agent)(?:\/([^/]+))?|qmp\/([^/]+))$/;

/** What is below `agent` and no command; no name of a command looks like these. */
const agentResources: ReadonlySet<string | undefined> = new Set(['exec', 'files', 'openapi.json']);

/** Routes of paths that came before, of monitors, where the method makes no difference. Bounded in number and length. */
const knownRoutes = new BoundedMap<string, LaneRoute>(2000);
const longestKnown = 200;

/** @returns undefined for a path that is not of the lane */
export function matchRoute(method: string | undefined, path: string): LaneRoute | undefined {
  const known = knownRoutes.get(path);
  if (known !== undefined) return known;
  const route = readRoute(method, path);
  if (route?.kind === 'command' && !route.agent && path.length <= longestKnown) knownRoutes.set(path, route);
  return route;
}

function readRoute(method: string | undefined, path: string): LaneRoute | undefined {
  const match = routePattern.exec(path);
  if (match === null) return undefined;
  const [, vmSegment, server, commandSegment, fanOutSegment] = match as readonly (string | undefined)[];
  const vm = decodeSegment(vmSegment);
  const command = decodeSegment(commandSegment ?? fanOutSegment);
  // By what is written, not by what can be decoded: a broken VM must not turn a command into a fan-out.
  if (fanOutSegment !== undefined) return command === undefined ? undefined : { kind: 'fan-out', command };
  if (vm === undefined) return undefined;
  const agent = server === 'agent';
  if (agent && (commandSegment === undefined ? method === 'GET' || method === 'HEAD' : agentResources.has(command)))
    return undefined;
  if (commandSegment === undefined) return { kind: 'message', vm, agent };
  return command === undefined ? undefined : { kind: 'command', vm, agent, command };
}
