/** What neither bash nor zsh takes for anything but itself, wherever it stands in a word. */
const plain = /[^\p{L}\p{N}_@%+=:,./-]/gu;

/**
 * A text as a word of a command line. bash and zsh write what completion offers into the line as it is: what a VM calls its
 * devices must not become a command of the shell.
 */
export function quoted(text: string): string {
  // zsh puts the path of a program in place of =NAME.
  return text.replace(plain, '\\$&').replace(/^=/, '\\=');
}
