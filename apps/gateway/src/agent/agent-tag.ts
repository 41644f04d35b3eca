import { Tag } from '../http/resource/resource.js';

/** The group of all that is about guest agents. */
export const AgentTag = Tag('agent', 'The guest agent of a VM: programs and files of the guest');
