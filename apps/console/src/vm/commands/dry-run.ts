import { GatewayProblem, writeJson, type VmClient } from '@qmp-gateway/client';
import { wordsOf } from '../../api/use-answer.js';
import type { ShownAnswer } from './command-answer.js';
import { asArguments } from './draft.js';

/** What the gateway would send, and whether it would. Never rejects. */
export async function askDryRun(vm: VmClient, command: string, text: string | undefined): Promise<ShownAnswer> {
  try {
    const { wouldSend, class: commandClass } = await vm.execute(command, asArguments(text), { dryRun: true });
    return { kind: 'dry', message: writeJson(wouldSend) ?? '', commandClass };
  } catch (error) {
    return { kind: 'not-dry', why: wordsOf(error), problem: error instanceof GatewayProblem ? error : undefined };
  }
}
