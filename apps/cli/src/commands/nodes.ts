import type { Node } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, type ExitStatus } from '../exit-status.js';
import { readFormat, writeRows, type RowShape } from '../output/formats.js';
import { ageText } from '../output/quantities.js';

const nodeRows: RowShape<Node> = {
  columns: [
    { title: 'NODE', of: ({ node }) => node, least: 12 },
    { title: 'STATE', of: ({ state }) => state, colour: 'state' },
    { title: 'VMS', of: ({ vms }) => String(vms), align: 'right' },
    { title: 'VERSION', of: ({ version }) => version },
    { title: 'HEARD', of: ({ heard }) => `${ageText(heard)} ago`, align: 'right' },
    { title: 'RUN', of: ({ run }) => run, least: 8 },
  ],
  name: ({ node }) => node,
  none: 'no nodes',
};

/** `nodes`: the gateways of the fleet. */
export async function listNodes(
  context: CommandContext,
  flags: ConnectionFlags & { readonly output: string },
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const client = await context.connect(flags);
  await writeRows(context.output, format, await client.nodes(), nodeRows);
  return exitStatus.done;
}
