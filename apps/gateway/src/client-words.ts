/**
 * The client half of `qmp-gateway`: words that are not the gateway's own are handed to the package `qmp-gateway-cli`,
 * before anything of the gateway is loaded.
 */

/** The first words that mean it. */
export const clientWords: readonly string[] = [
  ...['vms', 'vm', 'commands', 'events', 'wait', 'operations', 'exec', 'shell', 'screen', 'serial', 'keys', 'qom'],
  ...['agent', 'login', 'logout', 'tokens', 'access', 'nodes', 'completion', '__complete'],
];

/**
 * Runs the command line of the client if its first word is one of the client's, and sets the status of the process.
 * @returns whether it was
 */
export async function runClientWords(words: readonly string[]): Promise<boolean> {
  if (!clientWords.includes(words[0] ?? '')) return false;
  const { runClient } = await import('qmp-gateway-cli');
  await runClient('qmp-gateway', words);
  return true;
}
