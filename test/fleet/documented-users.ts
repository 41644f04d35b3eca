import { tokenOf } from '@qmp-gateway/fleet-protocol';
import { blocksOf } from '../e2e/documented-commands.js';

const userBlock = / {4}\{\n {6}user: [^]*?\n {4}\}\n/;

/** The block of users in docs/fleet.md. */
export const documentedUsers = blocksOf('docs/fleet.md').find(({ language }) => language === 'nats')?.text ?? '';

/** The page's user, for a node of this name: in the fleet `prod`, with the password `secret of NODE`. */
export function userOf(node: string): string {
  return (userBlock.exec(documentedUsers)?.[0] ?? '')
    .replace('user: host-17', `user: ${JSON.stringify(node)}`)
    .replace('$HOST_17_PASSWORD', `"secret of ${node}"`)
    .replaceAll('.host-17', `.${tokenOf(node)}`);
}

/** The page's block with these users in it. */
export function withUsers(users: readonly string[]): string {
  return documentedUsers.replace(userBlock, users.join(''));
}

/** Subjects that the page's user may publish to and subscribe to. */
export function permissionsOf(node: string): { readonly publish: string[]; readonly subscribe: string[] } {
  const subjects = (what: string) => {
    const list = new RegExp(`${what}: \\[([^]*?)\\n {8}\\]`).exec(userOf(node))?.[1] ?? '';
    return [...list.matchAll(/^ +"(.*)"$/gm)].map(([, subject]) => subject!);
  };
  return { publish: subjects('publish'), subscribe: subjects('subscribe') };
}
