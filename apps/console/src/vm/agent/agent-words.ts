/** A state of the guest agent in words. */
export interface AgentWords {
  readonly title: string;
  readonly says: string;
  /** Whether it can be asked. */
  readonly answers: boolean;
}

const states: Readonly<Record<string, AgentWords>> = {
  ready: { title: 'Answers', says: 'The agent in the guest answers.', answers: true },
  connecting: { title: 'Connecting', says: 'The gateway is connecting to the agent.', answers: false },
  silent: {
    title: 'Silent',
    says: 'The socket is there, but nobody in the guest answers. The guest may be booting or hung, or qemu-guest-agent is not running in it.',
    answers: false,
  },
  busy: { title: 'Busy', says: 'Another client holds the socket of the agent.', answers: false },
  waiting: {
    title: 'Not connected',
    says: 'The gateway cannot connect to the socket of the agent, and will try again.',
    answers: false,
  },
};

/** How to get an agent, for a VM that has none. */
export const noAgent =
  'This VM is registered without a guest agent. Start the VM with a virtio-serial port for the agent, run qemu-guest-agent in the guest, and register the VM with `agent: "unix:/path/of/the/socket"`.';

/** @param state of `vm.agent`; one that this console does not know is shown as it is */
export function agentWords(state: string): AgentWords {
  return Object.hasOwn(states, state) && states[state] !== undefined
    ? states[state]
    : { title: state, says: 'A state that this console does not know.', answers: false };
}
