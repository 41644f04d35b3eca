import { Problem } from '../problems/problem.js';

/** The answer to a plain GET where only an upgrade is taken; the upgrade itself never comes to a handler. */
export function upgradeRequired(): Problem {
  return new Problem('upgrade-required', 'This path speaks WebSocket: ask for the upgrade.');
}
