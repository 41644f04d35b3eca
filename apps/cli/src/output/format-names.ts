/** What `-o` takes. */
export const formatNames = ['table', 'json', 'jsonl', 'yaml', 'name'] as const;

/** `table` is for people and may change; the others are stable. */
export type Format = (typeof formatNames)[number];
