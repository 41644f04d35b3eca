import type { CompletionRules } from './completion-rule.js';
import { guestRules } from './guest-rules.js';
import { jobRules } from './job-rules.js';
import { machineRules } from './machine-rules.js';

/** How work of each kind ends; which command is of which kind is data in the catalog. */
export const completionRules: CompletionRules = { ...guestRules, ...jobRules, ...machineRules };

/** Events that can concern work: all others cost one look-up. */
export const followedEvents: ReadonlySet<string> = new Set(
  Object.values(completionRules).flatMap(({ events }) => events),
);
