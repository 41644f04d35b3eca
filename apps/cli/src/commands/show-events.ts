import type { GatewayClient, GatewayEvent } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import type { Format } from '../output/format-names.js';
import { readFormat, writeDocument } from '../output/formats.js';
import { compactJson } from '../output/json-text.js';
import { oneLine } from '../output/terminal-text.js';
import { eventText } from './event-text.js';
import { readLabels, readVms } from './vm-selection.js';

export interface ShowEventsFlags extends ConnectionFlags {
  readonly event?: readonly string[];
  readonly after?: string;
  readonly label?: readonly string[];
  readonly follow?: boolean;
  readonly limit?: string;
  readonly coalesce?: string;
  readonly output: string;
}

type Selection = Parameters<GatewayClient['eventHistory']>[0] & object;

const pageSize = 1000;

/** `events`: those that are kept, or with `-f` those that come. */
export async function showEvents(
  context: CommandContext,
  vms: string | undefined,
  flags: ShowEventsFlags,
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const limit = flags.limit === undefined ? Infinity : Number(flags.limit);
  if (!(limit > 0)) throw usageFault(`-n ${flags.limit ?? ''} is no number of events`);
  const client = await context.connect(flags);
  const signal = context.interruption;
  const selection: Selection = {
    vm: readVms(vms),
    event: flags.event?.flatMap((names) => names.split(',')),
    label: readLabels(flags.label),
    after: flags.after,
    signal,
  };
  const source =
    flags.follow === true ? client.events({ ...selection, coalesce: flags.coalesce }) : history(client, selection);
  try {
    await writeEvents(context, format, take(source, limit));
  } catch (error) {
    // Ctrl-C is how one leaves a stream.
    if (!signal.aborted) throw error;
  }
  return exitStatus.done;
}

async function* history(client: GatewayClient, selection: Selection): AsyncGenerator<GatewayEvent> {
  let { after } = selection;
  for (;;) {
    const { events, cursor } = await client.eventHistory({ ...selection, after, limit: pageSize });
    yield* events;
    if (events.length < pageSize) return;
    after = cursor;
  }
}

async function* take<Item>(items: AsyncIterable<Item>, limit: number): AsyncGenerator<Item> {
  let taken = 0;
  for await (const item of items) {
    yield item;
    if (++taken >= limit) return;
  }
}

async function writeEvents(
  { output }: CommandContext,
  format: Format,
  events: AsyncIterable<GatewayEvent>,
): Promise<void> {
  const all: GatewayEvent[] = [];
  let vmWidth = 8;
  for await (const event of events) {
    if (format === 'json' || format === 'yaml') all.push(event);
    else if (format === 'table') {
      vmWidth = Math.min(24, Math.max(vmWidth, event.vm?.length ?? 0));
      output.line(eventText(event, output.style, vmWidth));
    } else output.line(format === 'name' ? oneLine(event.event) : compactJson(event));
    if (output.closed.aborted) return;
  }
  if (format === 'json' || format === 'yaml') await writeDocument(output, format, all);
}
